"""Which backend serves tensors during a test, a GPU's for CPU tensors too, and that none waits."""

import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from minifloat.backends import implementation
from minifloat.ops import OPERATORS, Operator

Function = Callable[..., Any]

# Older versions of torch look up here whether a kernel would take another's place, and refuse it.
_PARAMETERS = inspect.signature(torch.library.Library.impl).parameters
_OVERRIDE = {"allow_override": True} if "allow_override" in _PARAMETERS else {}
_IMPLS: set[str] = set() if _OVERRIDE else torch.library._impls


@contextmanager
def served_by(
    name: str, key: str, wrap: Callable[[Operator, Function], Function] | None = None
) -> Iterator[None]:
    """Tensors of a dispatch key are served by a backend, whose functions `wrap` may change."""
    with torch.library._scoped_library("minifloat", "IMPL") as library:
        hidden = {impl for impl in _IMPLS if impl.startswith("minifloat/")}
        _IMPLS.difference_update(hidden)
        with warnings.catch_warnings():
            # Torch tells of a kernel that another one replaces, once a process.
            warnings.filterwarnings("ignore", "Warning only once for all operators")
            for operator in OPERATORS:
                function = implementation(name, operator.name)
                if wrap is not None:
                    function = wrap(operator, function)
                library.impl(operator.name, function, key, **_OVERRIDE)
        yield
    _IMPLS.update(hidden)


@contextmanager
def nothing_waits() -> Iterator[None]:
    """What waits for the GPU raises RuntimeError."""
    with warnings.catch_warnings():
        # Torch tells so once a process, and has changed the mode by then.
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype feature")
        try:
            torch.cuda.set_sync_debug_mode("error")
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")


def on_gpu(operator: Operator, function: Function) -> Function:
    """Return an operator that refuses what the CPU's do, and computes on the current GPU."""

    def nothing(*arguments: Any) -> None:
        pass

    let_through = operator.kernel(nothing, True)

    def call(*arguments: Any) -> Any:
        let_through(*arguments)
        there = tree_map_only(Tensor, Tensor.cuda, list(arguments))
        answer = function(*there)
        if operator.mutates:
            arguments[-1].copy_(there[-1])
            return None
        if isinstance(answer, tuple):
            return tuple(t.cpu() for t in answer)
        return answer.cpu()

    return call
