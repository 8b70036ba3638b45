"""Which code runs an operator on which device: one module for each backend, one line for each.

A backend has the functions that `minifloat.ops` names: each gets what was asked, which is right,
and fills the tensors for the answer. Eager serves every device that has no backend of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.ops import LIBRARY, OPERATORS

# The oldest Triton that compiles the kernels; each torch asks for a Triton of its own.
_OLDEST_TRITON = (3, 6)


class Backend(NamedTuple):
    """Which module serves the tensors of a dispatch key of torch, where it is available.

    `missing` says why it is not, where somebody may wonder. One that is `lazy` is imported when it
    is first called, and puts its work into a stream: values are not looked at, which would wait.
    """

    key: str
    module: str
    available: bool = True
    missing: str = ""
    lazy: bool = False


def _cuda() -> Backend:
    # ROCm's devices have CUDA's dispatch key.
    built = find_spec("minifloat._cuda") is not None and torch.version.hip is None
    missing = "minifloat._cuda is not built: that needs nvcc"
    return Backend("CUDA", "cuda", built, missing, lazy=True)


def _triton() -> Backend:
    try:
        found = tuple(int(number) for number in version("triton").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return Backend("CUDA", "triton", False, lazy=True)
    numbers = (".".join(map(str, v)) for v in (found, _OLDEST_TRITON))
    old = "{} is older than {}, which torch 2.10 came with".format(*numbers)
    return Backend("CUDA", "triton", found >= _OLDEST_TRITON, old, lazy=True)


_EAGER = Backend("CompositeExplicitAutograd", "eager")

# Of one key, the first that is available serves it; the last serves all others too.
BACKENDS = (Backend("CPU", "cpu"), _cuda(), _triton(), _EAGER)


def serving(key: str) -> Backend:
    """Return the backend that serves the tensors of a dispatch key."""
    return next((one for one in BACKENDS if one.key == key and one.available), _EAGER)


def register() -> None:
    """Tell torch of every backend that serves tensors."""
    for key in dict.fromkeys(backend.key for backend in BACKENDS):
        for operator in OPERATORS:
            LIBRARY.impl(operator.name, implementation(serving(key).module, operator.name), key)


def implementation(module: str, operator: str) -> Callable[..., Any]:
    """Return a backend's kernel of an operator, which has the operator's arguments."""
    (backend,) = (one for one in BACKENDS if one.module == module)
    (asked,) = (one for one in OPERATORS if one.name == operator)
    name = f"{__name__}.{module}"
    if not backend.lazy:
        return asked.kernel(getattr(import_module(name), asked.fills), True)

    # Importing Triton takes longer than all else, and the CUDA kernels are not there everywhere.
    def fill(*arguments: Any) -> Any:
        return getattr(import_module(name), asked.fills)(*arguments)

    kernel = asked.kernel(fill, False)

    def call(*arguments: Any) -> Any:
        try:
            with _device_of(arguments[0]):
                return kernel(*arguments)
        except torch.OutOfMemoryError as error:
            given = ", ".join(map(_described, arguments))
            raise torch.OutOfMemoryError(f"{operator}({given}) does not fit: {error}") from error

    return call


def _device_of(on: Tensor) -> AbstractContextManager[None]:
    """Make a tensor's device the current one, into whose stream kernels are put."""
    return torch.cuda.device(on.device) if on.is_cuda else nullcontext()


def _described(argument: object) -> str:
    if isinstance(argument, Tensor):
        return f"{str(argument.dtype).removeprefix('torch.')} {tuple(argument.shape)}"
    if isinstance(argument, list):
        return f"[{', '.join(map(_described, argument))}]"
    return str(argument)
