"""Arguments of every operator, in every way that it takes them, and what comes out."""

from typing import Any

import torch
from torch import Tensor

import minifloat as mf
from minifloat import ops
from minifloat.backends import implementation
from minifloat.ops.checks import SOURCES
from minifloat.ops.products import Above, AllScores, Best, PairScores
from minifloat.ops.rows import Rows, Selection, Sides, element_dtype
from minifloat.scoring.queries import rows_of, sides_of
from minifloat.turning import no_turn, random_turn
from tests.support.rows import DIM, normal

OPS = torch.ops.minifloat

# Operators that look at values wherever they are, and so wait for their device.
THAT_WAIT = ("quantize", "quantize_in_frame", "range_search")


def arguments(operator: str, format: mf.Format) -> list[tuple[Any, ...]]:
    """Arguments of an operator, in every way that it takes them."""
    name = format.name
    x = normal(5)
    codes = mf.encode(x, format)
    a, b = mf.quantize(x, format), mf.quantize(normal(7, seed=1), format)
    strided = a.codes.T.contiguous().T
    elements = x.mul(99).to(element_dtype(name))
    lane = Rows(elements, 1 / elements.float().norm(dim=1))
    by_codes, by_floats = sides_of(a, b), Sides(lane, rows_of(b), name, DIM)
    some = Selection(torch.arange(7) % 3 > 0, torch.tensor([[1, 7]]))
    along = [normal(rows, 2, seed=2) / 4 for rows in (5, 7)]
    in_frame = by_codes._replace(
        a=by_codes.a._replace(coordinates=along[0]), b=by_codes.b._replace(coordinates=along[1])
    )
    pairs = torch.tensor([[4, 6], [0, 0]])
    no_shares = torch.empty(0, DIM)
    sources = [x.to(dtype) for dtype in SOURCES]
    learned = normal(5).requires_grad_()
    samples: dict[str, list[tuple[Any, ...]]] = {
        "encode": [(source, name, False) for source in sources] + [(x.T, name, True)],
        "decode": [(codes, name), (codes.T, name)],
        "round": [(learned, name, True), (normal(5).T.requires_grad_(), name, False)],
        "pack": [(codes, name), (codes.T, name)],
        "unpack": [(a.codes, name, DIM), (strided, name, DIM)],
        "encode_pack": [(source, name, False) for source in sources] + [(x.T, name, True)],
        "quantize": [(source, name, "amax", "norm", False) for source in sources]
        + [(source, name, "cosine", "unbiased", True) for source in sources]
        + [(x.T, name, "none", "norm", True), (x[::2, :7], name, "amax", "unbiased", True)],
        "project": [
            (part, [axes, *turn, no_shares])
            for part in (*sources, x.T.contiguous().T)
            for axes in (no_shares, torch.eye(DIM)[:2])
            for turn in (random_turn(DIM, 1), no_turn(DIM))
        ],
        "quantize_in_frame": [
            (part, [torch.eye(DIM)[:2], *random_turn(DIM, 1), shares], name, *how, True)
            for part in (*sources, x.T.contiguous().T)
            for shares in (no_shares, normal(DIM, DIM, seed=3).tril(-1) / DIM)
            for how in (("amax", "norm"), ("cosine", "unbiased"))
        ],
        "to_lane": [(source, name) for source in sources]
        + [(part, name) for part in (x.T.contiguous().T, x[::2, :7], x[:, ::2], x[:0])],
        "to_lane_in_frame": [
            (part, [axes, *random_turn(DIM, 1), no_shares], name)
            for part in (*sources, x.T.contiguous().T)
            for axes in (no_shares, torch.eye(DIM)[:2])
        ],
        "reciprocal_norms": [(a.codes, name, DIM), (strided, name, DIM)],
        "scores": [ops.arguments(AllScores(sides)) for sides in (by_codes, by_floats, in_frame)],
        "scores_into": [
            (*ops.arguments(AllScores(sides)), torch.full((5, 7), torch.nan))
            for sides in (by_codes, by_floats)
        ],
        "pair_scores": [
            ops.arguments(PairScores(sides, pairs)) for sides in (by_codes, by_floats, in_frame)
        ],
        "angles": [(source, a.codes, name) for source in (*sources, x.T.contiguous().T, x[:, ::1])],
        "range_search": [
            ops.arguments(Above(sides, chosen, torch.full((5,), 0.1), 100))
            for sides, chosen in ((by_codes, Selection()), (by_floats, some), (in_frame, some))
        ],
        "search": [
            ops.arguments(Best(sides, chosen, 3))
            for sides, chosen in (
                (by_codes, Selection()),
                (by_floats, Selection()),
                (by_codes, some),
                (in_frame, some),
            )
        ],
    }
    return samples[operator]


def outputs(operator: str, sample: tuple[Any, ...], backend: str = "") -> list[Tensor]:
    """Return what an operator, or a backend's, returns, or what it writes to its last argument."""
    function = implementation(backend, operator) if backend else getattr(OPS, operator)
    answer = function(*sample)
    if answer is None:
        return [sample[-1].clone()]
    return [answer] if isinstance(answer, Tensor) else list(answer)
