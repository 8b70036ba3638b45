"""Float queries that one plane holds score as they do in two."""

import pytest
import torch

import minifloat as mf
from minifloat import _C
from minifloat.backends import implementation
from minifloat.ops import answer, arguments
from minifloat.ops.products import AllScores
from minifloat.ops.rows import Rows, Sides, element_dtype
from minifloat.scoring.queries import rows_of
from tests.support.rows import normal


def scores(elements: torch.Tensor, rows: mf.PackedVectors, backend: str = "") -> torch.Tensor:
    lane = Rows(elements, torch.full((len(elements),), 1e-4))
    asked = AllScores(Sides(lane, rows_of(rows), rows.format.name, rows.dim))
    found: torch.Tensor = (
        implementation(backend, "scores")(*arguments(asked)) if backend else answer(asked)
    )
    return found


@pytest.mark.parametrize("count", [1, 2, 4, 17, 70])
def test_integers_up_to_what_a_plane_holds_score_exactly(
    integer_format: mf.Format, isa: str, count: int
) -> None:
    for dim in (1, 65, 300):
        rows = mf.quantize(normal(70, dim), integer_format)
        most = _C.one_plane(integer_format.index) or 127
        small = torch.randint(-most, most + 1, (count, dim), dtype=torch.int16)
        small[0, 0], small[-1, -1] = -most, most
        larger = small.clone()
        larger[0, 0] -= 1
        for elements in (small, larger, small.sign() * most):
            assert torch.equal(scores(elements, rows), scores(elements, rows, "eager"))


@pytest.mark.parametrize("format", [mf.E4M3, mf.E5M2], ids=str)
@pytest.mark.parametrize("count", [1, 3, 20])
def test_bfloat16_score_alike_with_and_without_other_floats_beside_them(
    format: mf.Format, isa: str, count: int
) -> None:
    rows = mf.quantize(normal(70, 65), format)
    exact = normal(count, 65).bfloat16().float().to(element_dtype(format.name))
    others = torch.cat([exact, normal(1, 65)])
    # Alone they may go another way, which adds up in another order.
    assert torch.equal(scores(torch.cat([exact, exact[:1]]), rows)[:-1], scores(others, rows)[:-1])
