"""The torch operators, each defined by what checks its arguments and makes tensors for answers.

For what goes row by row that is a function, for products of rows a request. Either one is the
operator's schema and its fake kernel, and what arguments go through before a backend gets them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, get_type_hints

import torch
from torch import Tensor
from torch.autograd import forward_ad

from minifloat.arrays import on_huge_pages
from minifloat.ops import codec
from minifloat.ops.fields import fields, making, signature, taking_apart
from minifloat.ops.products import Above, AllScores, Best, PairScores, Request

Function = Callable[..., Any]


class Operator(NamedTuple):
    """An operator of torch: its name, and that of the function by which a backend fills answers.

    `kernel` makes what torch calls, of that function and whether values are looked at that are not
    in main memory, which waits for their device.
    """

    name: str
    fills: str
    fake: Function
    kernel: Callable[[Function, bool], Function]
    mutates: tuple[str, ...] = ()


def _by_row(checked: Function) -> Operator:
    """Return the operator of a function that checks arguments and returns new tensors."""

    def kernel(fill: Function, waits: bool) -> Function:
        def call(*arguments: Any) -> Any:
            out = checked(*arguments)
            on_huge_pages(out if isinstance(out, Tensor) else out[0])
            fill(*arguments, out)
            return out

        return call

    return Operator(checked.__name__, checked.__name__, checked, kernel)


def _of(kind: type[Any], name: str, fills: str) -> Operator:
    """Return the operator that answers requests of a kind with new tensors."""
    make = making(kind)

    def fake(*given: Any) -> Any:
        asked: Request = make(*given)
        asked.check()
        return asked.results()

    def kernel(fill: Function, waits: bool) -> Function:
        def call(*given: Any) -> Any:
            asked = _let_through(make(*given), waits)
            out = asked.results()
            if isinstance(out, Tensor):
                on_huge_pages(out)
            fill(asked, out)
            return out

        return call

    answer = get_type_hints(kind.results)["return"]
    return Operator(name, fills, _with(fake, fields(kind), answer), kernel)


def _of_any_size(kind: type[Above], name: str, fills: str) -> Operator:
    """Return the operator that answers requests with as many rows as there are.

    A backend's function makes the tensors, for it alone knows how many that is.
    """
    make = making(kind)

    def fake(*given: Any) -> Any:
        asked = make(*given)
        asked.check()
        return tuple(asked.results(torch.library.get_ctx().new_dynamic_size()))

    def kernel(find: Function, waits: bool) -> Function:
        def call(*given: Any) -> Any:
            return tuple(find(_let_through(make(*given), waits)))

        return call

    answer = tuple[Tensor, Tensor, Tensor]
    return Operator(name, fills, _with(fake, fields(kind), answer), kernel)


def _into(kind: type[AllScores], name: str, fills: str) -> Operator:
    """Return the operator that answers requests of a kind with a tensor that is given last."""
    make = making(kind)

    def fake(*given: Any) -> None:
        asked: AllScores = make(*given[:-1])
        asked.check()
        asked.check_out(given[-1])

    def kernel(fill: Function, waits: bool) -> Function:
        def call(*given: Any) -> None:
            asked = _let_through(make(*given[:-1]), waits)
            asked.check_out(given[-1])
            fill(asked, given[-1])

        return call

    known = _with(fake, fields(kind) | {"out": Tensor}, None)
    return Operator(name, fills, known, kernel, mutates=("out",))


def _let_through(asked: Any, waits: bool) -> Any:
    """Return a request that can be answered; TypeError or ValueError for any other."""
    asked.check()
    if waits or asked.sides.b.data.is_cpu:
        asked.check_values()
    return asked


def _with(function: Function, names: dict[str, Any], answer: Any) -> Function:
    """Return the function itself, with the signature from which torch infers the schema."""
    vars(function)["__signature__"] = signature(names, answer)
    return function


_BY_ROW: tuple[Function, ...] = (
    codec.encode,
    codec.decode,
    codec.round,
    codec.pack,
    codec.unpack,
    codec.encode_pack,
    codec.reciprocal_norms,
)
# What is asked, its operator, and the function of a backend that answers it.
_ASKED = (
    (AllScores, "scores", "all_scores"),
    (PairScores, "pair_scores", "pair_scores"),
    (Best, "search", "best"),
)
_FOUND = (Above, "range_search", "above")

OPERATORS = (
    *map(_by_row, _BY_ROW),
    _by_row(codec.quantize),
    _by_row(codec.angles),
    _by_row(codec.project),
    _by_row(codec.quantize_in_frame),
    _by_row(codec.to_lane),
    _by_row(codec.to_lane_in_frame),
    *(_of(*asked) for asked in _ASKED),
    _of_any_size(*_FOUND),
    _into(AllScores, "scores_into", "all_scores"),
)

LIBRARY = torch.library.Library("minifloat", "DEF")
for _operator in OPERATORS:
    _schema = torch.library.infer_schema(_operator.fake, mutates_args=_operator.mutates)
    LIBRARY.define(_operator.name + _schema, tags=(torch.Tag.pt2_compliant_tag,))
    torch.library.register_fake(f"minifloat::{_operator.name}", _operator.fake, lib=LIBRARY)

_CALLS: dict[type[Any], tuple[Callable[[Any], tuple[Any, ...]], Function]] = {
    kind: (taking_apart(kind), getattr(torch.ops.minifloat, name).default)
    for kind, name, _ in (*_ASKED, _FOUND)
}


def answer(asked: Request | Above) -> Any:
    """Return what the operator of a request does."""
    take_apart, operator = _CALLS[type(asked)]
    return operator(*take_apart(asked))


def answer_into(asked: AllScores, out: Tensor) -> None:
    """Write scores to a contiguous float32 tensor (a, b)."""
    take_apart, _ = _CALLS[AllScores]
    torch.ops.minifloat.scores_into.default(*take_apart(asked), out)


def arguments(asked: Request | Above) -> tuple[Any, ...]:
    """Return the arguments of the operator of a request."""
    take_apart, _ = _CALLS[type(asked)]
    return take_apart(asked)


def _straight_through(x: Tensor, format: str, saturate: bool) -> Tensor:
    """Round as if it were the identity, the usual choice for training."""
    with torch._C._AutoDispatchBelowAutograd():
        rounded: Tensor = torch.ops.minifloat.round.default(x, format, saturate)
    if not x.requires_grad and forward_ad.unpack_dual(x, level=0).tangent is None:
        return rounded
    # Derivatives of every kind are those of a copy, which is then written to below their sight.
    copy = x.clone(memory_format=torch.contiguous_format)
    with torch._C._AutoDispatchBelowAutograd():
        return copy.copy_(rounded)


def _of_a_batch(
    operator: str, info: Any, places: tuple[int, ...], x: Tensor, *rest: Any
) -> tuple[Tensor, int]:
    """Call an operator by row for all tensors of a batch, of which the first dimension counts."""
    return getattr(torch.ops.minifloat, operator).default(x.movedim(places[0], 0), *rest), 0


LIBRARY.impl("round", _straight_through, "Autograd")
for _checked in _BY_ROW:
    _rule = partial(_of_a_batch, _checked.__name__)
    torch.library.register_vmap(f"minifloat::{_checked.__name__}", _rule, lib=LIBRARY)
