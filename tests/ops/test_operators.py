from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

import minifloat as mf
from minifloat.ops import OPERATORS as ALL
from minifloat.ops import answer
from minifloat.ops.products import AllScores, Best, PairScores
from minifloat.ops.rows import Rows, Selection, Sides
from tests.conftest import PYTHON_BACKENDS
from tests.support.arguments import OPS, arguments, outputs
from tests.support.oracles import U
from tests.support.rows import DIM, normal
from tests.support.sets import TRIED

pytestmark = pytest.mark.gpu

SCORING = ("scores", "scores_into", "pair_scores", "search", "range_search")
OPERATORS = pytest.mark.parametrize("operator", [operator.name for operator in ALL])


# torch 2.14 looks at the gradients of outputs itself.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
# What is checked is the same for all instruction sets.
@pytest.mark.parametrize("backend", [TRIED[0], *PYTHON_BACKENDS], indirect=True)
@OPERATORS
def test_operators_pass_opcheck(operator: str, backend: str) -> None:
    for format in (mf.E4M3, mf.E2M3):
        for sample in arguments(operator, format)[-2:]:
            torch.library.opcheck(getattr(OPS, operator).default, sample)


# Plain torch takes longest, and answers the same whatever is compared with it.
@cache
def defined(operator: str, format: mf.Format) -> list[tuple[tuple[Any, ...], list[Tensor]]]:
    """Arguments of an operator, and what its definition answers."""
    found = []
    for sample in arguments(operator, format):
        detached = tuple(t.detach() if isinstance(t, Tensor) else t for t in sample)
        found.append((sample, outputs(operator, detached, "eager")))
    return found


@OPERATORS
@pytest.mark.parametrize("backend", TRIED, indirect=True)
def test_backends_give_the_answers_of_the_definition(
    operator: str, format: mf.Format, backend: str
) -> None:
    for sample, expected in defined(operator, format):
        if operator == "scores_into":
            # The definition has written there.
            sample[-1].fill_(torch.nan)
        for found, wanted in zip(outputs(operator, sample), expected, strict=True):
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
            assert found.stride() == wanted.stride()
            if operator in SCORING and format.lane == "float":
                # Each side is within dim * 2^-24, and two products, of a score up to the query's
                # length, whose norm is given as 1.
                scale = (
                    1.0 if sample[0].dtype == torch.uint8 else float(sample[0].norm(dim=1).max())
                )
                torch.testing.assert_close(found, wanted, rtol=0, atol=2 * (DIM + 2) * U * scale)
            else:
                assert torch.equal(found, wanted)


@OPERATORS
def test_meta_tensors_get_the_shapes_of_real_ones(operator: str, format: mf.Format) -> None:
    if operator == "range_search":
        pytest.skip("how many rows there are is known of values alone")
    for sample in arguments(operator, format):
        meta = tree_map_only(Tensor, lambda t: t.to("meta"), sample)
        for found, wanted in zip(outputs(operator, meta), outputs(operator, sample), strict=True):
            assert found.device.type == "meta"
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
            assert found.stride() == wanted.stride()


def every_codec_operator(x: Tensor, format: mf.Format) -> tuple[Tensor, ...]:
    codes = mf.encode(x * 2, format)
    packed = mf.pack(codes, format)
    return (
        mf.decode(codes, format) + mf.round(x, format),
        mf.unpack(packed, format, x.shape[-1]),
        mf.encode_pack(x + 1, format, saturate=False),
    )


def every_scoring_operator(rows: Tensor, pairs: Tensor, name: str) -> tuple[Tensor, ...]:
    norms = OPS.reciprocal_norms(rows, name, DIM)
    sides = Sides(Rows(rows, norms), Rows(rows, norms), name, DIM)
    return (
        answer(AllScores(sides)) + 1,
        answer(PairScores(sides, pairs)),
        *answer(Best(sides, Selection(), 3)),
    )


def test_operators_are_compiled_without_a_break(backend: str) -> None:
    torch.compiler.reset()
    codecs = torch.compile(every_codec_operator, fullgraph=True, backend="aot_eager")
    scoring = torch.compile(every_scoring_operator, fullgraph=True, backend="aot_eager")
    for format in (mf.E4M3, mf.E2M3):
        for rows in (5, 6):
            x = normal(rows)
            packed, pairs = mf.encode_pack(x, format), torch.tensor([[1, 2], [4, 4]])
            for found, expected in (
                (codecs(x, format), every_codec_operator(x, format)),
                (
                    scoring(packed, pairs, format.name),
                    every_scoring_operator(packed, pairs, format.name),
                ),
            ):
                for tensor, wanted in zip(found, expected, strict=True):
                    assert torch.equal(tensor, wanted)


@pytest.mark.parametrize("kind", [Tensor, np.ndarray])
def test_scores_of_packed_rows_are_compiled_without_a_break(kind: type) -> None:
    torch.compiler.reset()
    x = normal(9)
    rows = mf.quantize(x if kind is Tensor else x.numpy(), mf.E2M3)
    compiled = torch.compile(
        lambda: (mf.scores(rows, rows), *mf.search(rows, rows, 3)),
        fullgraph=True,
        backend="aot_eager",
    )
    expected = (mf.scores(rows, rows), *mf.search(rows, rows, 3))
    for found, wanted in zip(compiled(), expected, strict=True):
        assert type(found) is kind
        np.testing.assert_array_equal(found, wanted)


def test_codes_have_no_gradient(backend: str) -> None:
    x = normal(3).requires_grad_()
    assert not mf.encode(x, "e2m1").requires_grad
    assert not mf.encode_pack(x, "e2m1").requires_grad
    assert not mf.quantize(x, "e2m1").dequantize().requires_grad


def test_scores_and_searches_refuse_queries_whose_derivatives_would_be_zero() -> None:
    x = normal(3)
    asks: list[Callable[[Tensor, mf.PackedVectors], Any]] = [
        lambda x, rows: mf.scores(x, rows),
        lambda x, rows: mf.scores(x, rows, pairs=torch.tensor([[0, 1]])),
        lambda x, rows: mf.search(x, rows, 2)[0],
    ]
    message = "must have no derivatives, for scores and search have none; got a tensor"
    learned = rf"^queries {message} that requires a gradient: pass queries.detach\(\)$"
    for format in (mf.E4M3, mf.E2M1):
        rows = mf.quantize(normal(5), format)
        for ask in asks:
            with pytest.raises(RuntimeError, match=learned):
                ask(x.clone().requires_grad_(), rows)
            with pytest.raises(RuntimeError, match=learned):
                torch.func.grad(lambda x, ask=ask, rows=rows: ask(x, rows).sum())(x)
            with pytest.raises(RuntimeError, match=rf"^queries {message} with a tangent: pass "):
                torch.func.jvp(lambda x, ask=ask, rows=rows: ask(x, rows), (x,), (x,))
            with torch.no_grad():
                assert torch.equal(ask(x.clone().requires_grad_(), rows), ask(x, rows))
        out = torch.zeros(3, 5, requires_grad=True)
        with pytest.raises(RuntimeError, match=rf"^out {message} that requires a gradient"):
            mf.scores(x, rows, out=out)


@pytest.mark.parametrize("operator", [one.name for one in ALL if one.name != "project"])
def test_operators_refuse_an_unknown_format_by_name(operator: str, backend: str) -> None:
    sample = arguments(operator, mf.E2M1)[0]
    wrong = ["e9m9" if part == "e2m1" else part for part in sample]
    message = f"format must be one of {', '.join(map(str, mf.FORMATS))}; got 'e9m9'"
    with pytest.raises(ValueError, match=f"^{message}$"):
        getattr(OPS, operator)(*wrong)
