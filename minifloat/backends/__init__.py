"""Which code runs an operator on which device: one module for each backend, one line for each.

A backend has a function for each operator in `minifloat.ops`. Eager serves every device that has
none of its own.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from minifloat.ops import LIBRARY, OPERATORS

# Whether the CUDA kernels were built, and for these devices: ROCm's have CUDA's dispatch key.
HAS_CUDA_KERNELS = find_spec("minifloat._cuda") is not None and torch.version.hip is None

# The oldest Triton that compiles the kernels; each torch asks for a Triton of its own.
OLDEST_TRITON = (3, 6)


def _triton_version() -> tuple[int, ...] | None:
    """Return the first two numbers of the version of Triton that is installed, if one is."""
    try:
        return tuple(int(number) for number in version("triton").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return None


TRITON_VERSION = _triton_version()
HAS_TRITON = TRITON_VERSION is not None and TRITON_VERSION >= OLDEST_TRITON

# By torch's dispatch key.
BACKENDS = {
    "CPU": "cpu",
    "CUDA": "cuda" if HAS_CUDA_KERNELS else "triton" if HAS_TRITON else "eager",
    "CompositeExplicitAutograd": "eager",
}


def register() -> None:
    """Tell torch of every backend."""
    for key, backend in BACKENDS.items():
        for operator in OPERATORS:
            LIBRARY.impl(operator.__name__, implementation(backend, operator.__name__), key)


def implementation(backend: str, operator: str) -> Callable[..., Any]:
    """Return a backend's function for an operator; its module is imported when it is needed."""
    name = f"minifloat.backends.{backend}"
    if backend not in ("cuda", "triton"):
        found: Callable[..., Any] = getattr(import_module(name), operator)
        return found

    # Importing Triton takes longer than all else, and the CUDA kernels are not there everywhere.
    def call(*arguments: Any) -> Any:
        try:
            return getattr(import_module(name), operator)(*arguments)
        except torch.OutOfMemoryError as error:
            asked = ", ".join(map(_described, arguments))
            raise torch.OutOfMemoryError(f"{operator}({asked}) does not fit: {error}") from error

    return call


def _described(argument: object) -> str:
    if isinstance(argument, Tensor):
        return f"{str(argument.dtype).removeprefix('torch.')} {tuple(argument.shape)}"
    return str(argument)
