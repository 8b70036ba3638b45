"""The extension of kernels by itself: without torch, whose import takes minutes under valgrind."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[2] / "minifloat"


@dataclass(frozen=True)
class Format:
    """What the extension says of a format, and how many bits a code has."""

    index: int
    name: str
    bits: int
    lane: str

    def row_bytes(self, dim: int) -> int:
        """Return the bytes of a packed row."""
        return -(-dim * self.bits // 8)


def load() -> Any:
    """Return the extension of this checkout; ImportError where it has not been built."""
    spec = PathFinder.find_spec("_C", [str(_PACKAGE)])
    if spec is None or spec.loader is None:
        raise ImportError(f"the extension has not been built in {_PACKAGE}; pip install -e .")
    extension = module_from_spec(spec)
    spec.loader.exec_module(extension)
    return extension


def formats(extension: Any) -> list[Format]:
    """Return the extension's formats, in its order."""
    return [
        Format(index, name, 1 + exponent_bits + mantissa_bits, lane)
        for index, (name, exponent_bits, mantissa_bits, _, lane) in enumerate(extension.FORMATS)
    ]
