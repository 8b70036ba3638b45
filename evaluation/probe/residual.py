"""Residual blocks of a network, counted by what it computes while it runs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.weak import WeakIdKeyDictionary

# Convolutions that a block has at least, beside its shortcut.
CONVOLUTIONS = 2
# What a shortcut may hold besides one convolution, by torch's names of operators or parts of them.
KEEPING = ("mul", "masked_fill", "dropout", "clone", "_to_copy")
KEEPING_KINDS = ("norm", "avg_pool")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operator's answer of one tensor; `inputs` are the places of those that it was made of."""

    name: str
    shape: torch.Size
    inputs: tuple[int, ...]

    @property
    def is_convolution(self) -> bool:
        """Whether it is a convolution of any dimensions."""
        return "conv" in self.name

    @property
    def is_keeping(self) -> bool:
        """Whether a shortcut may hold it besides a convolution."""
        is_one = self.name.removesuffix("_") in KEEPING
        return is_one or any(kind in self.name for kind in KEEPING_KINDS)


def residual_blocks(work: Callable[[], object]) -> int | None:
    """Return how many residual blocks run in `work`; None where nothing runs in torch.

    A residual block ends in the sum of two tensors of one shape: a tensor x after two convolutions
    or more, and the same x by a shortcut, which has at most one convolution, and otherwise only
    normalisations, products (masks) and average pools. It may be x itself.
    """
    with _Recorder() as recorder:
        work()
    found = recorder.operations
    return sum(_ends_block(found, place) for place in range(len(found))) if found else None


class _Recorder(TorchDispatchMode):
    """Keeps every operator that torch runs, in order, and no tensor."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[Operation] = []
        self._places = WeakIdKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = _tensors((args, kwargs))
        inputs = tuple(self._place(one) for one in given)
        made = func(*args, **(kwargs or {}))
        for one in _tensors(made):
            self._add(func.overloadpacket.__name__, one, inputs)
        return made

    def _place(self, tensor: torch.Tensor) -> int:
        if tensor not in self._places:
            self._add("given", tensor, ())
        place: int = self._places[tensor]
        return place

    def _add(self, name: str, tensor: torch.Tensor, inputs: tuple[int, ...]) -> None:
        self._places[tensor] = len(self.operations)
        self.operations.append(Operation(name=name, shape=tensor.shape, inputs=inputs))


def _tensors(values: object) -> list[torch.Tensor]:
    return [one for one in tree_flatten(values)[0] if isinstance(one, torch.Tensor)]


def _ends_block(operations: Sequence[Operation], place: int) -> bool:
    one = operations[place]
    if one.name not in ("add", "add_") or len(one.inputs) != 2:
        return False
    left, right = one.inputs
    if operations[left].shape != operations[right].shape:
        return False
    return any(
        _convolutions(operations, start, other) >= CONVOLUTIONS
        for shortcut, other in ((left, right), (right, left))
        for start in _starts(operations, shortcut)
    )


def _starts(operations: Sequence[Operation], place: int) -> Iterator[int]:
    """Where a shortcut that ends in a place may start: there, or before what it may hold."""
    is_convolved = False
    while True:
        yield place
        one = operations[place]
        may_hold = one.is_keeping or (one.is_convolution and not is_convolved)
        if not one.inputs or not may_hold:
            return
        is_convolved = is_convolved or one.is_convolution
        place = one.inputs[0]


def _convolutions(operations: Sequence[Operation], start: int, end: int) -> int:
    """The most convolutions on a way from a tensor to another that is made of it; else -1."""
    most = {start: 0}
    for place in range(start + 1, end + 1):
        one = operations[place]
        ways = [most[before] for before in one.inputs if before in most]
        if ways:
            most[place] = max(ways) + one.is_convolution
    return most.get(end, -1)
