"""The formats: read from the C++ table, with the limits that follow from their three facts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from minifloat import _C

if TYPE_CHECKING:
    from numpy.typing import NDArray

Specials = Literal["ieee", "nan", "none"]
Lane = Literal["int8", "int16", "float"]


@dataclass(frozen=True)
class Format:
    """A minifloat format, such as `minifloat.E2M1`; `str` of it is its name.

    `specials` says what the top codes mean: "ieee" (infinity and NaN), "nan" (the all-ones code
    is NaN) or "none" (every code is a number). E4M3 is OCP's, which ml_dtypes and torch call
    float8_e4m3fn. `lane` is the type in which dot products of the codes run.
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    specials: Specials
    lane: Lane

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def bits(self) -> int:
        """Bits of one code."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def bias(self) -> int:
        """What is subtracted from the exponent field."""
        return int(2 ** (self.exponent_bits - 1)) - 1

    @cached_property
    def index(self) -> int:
        """Position in `FORMATS`, by which kernels know the format."""
        return FORMATS.index(self)

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """The float32 value of every code, (2**bits,), read-only."""
        codes = np.arange(2**self.bits, dtype=np.uint8)
        values = np.empty(codes.shape, np.float32)
        _C.decode(self.index, codes.ctypes.data, codes.size, values.ctypes.data, 1)
        values.flags.writeable = False
        return values

    @property
    def finite(self) -> NDArray[np.float32]:
        """The finite values that are at least 0, in ascending order."""
        positive = self.values[: len(self.values) // 2]
        return positive[np.isfinite(positive)]

    @cached_property
    def max(self) -> float:
        """The largest finite value."""
        return float(self.finite[-1])

    @property
    def smallest_normal(self) -> float:
        """The smallest value with a full mantissa."""
        return float(self.finite[2**self.mantissa_bits])

    @property
    def smallest_subnormal(self) -> float:
        """The smallest value above 0: every value is a multiple of it."""
        return float(self.finite[1])

    @property
    def fraction_bits(self) -> int:
        """Log2 of how many smallest steps make 1."""
        return -int(math.log2(self.smallest_subnormal))

    def row_bytes(self, dim: int) -> int:
        """Bytes of one packed row of `dim` codes."""
        return (dim * self.bits + 7) // 8

    @property
    def _standard_name(self) -> str:
        return f"float{self.bits}_{self.name}" + ("" if self.specials == "ieee" else "fn")

    @property
    def torch_dtype(self) -> torch.dtype | None:
        """The torch dtype whose bytes are this format's packed rows, or None."""
        name = self._standard_name + ("" if self.bits == 8 else "_x2")
        return getattr(torch, name, None)

    @property
    def ml_dtype(self) -> np.dtype[Any]:
        """The ml_dtypes dtype whose bytes are codes, one a byte.

        Raises ImportError where ml_dtypes is not installed.
        """
        try:
            import ml_dtypes
        except ImportError as error:
            message = "Format.ml_dtype needs ml_dtypes: pip install ml_dtypes"
            raise ImportError(message) from error
        dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, self._standard_name))
        return dtype


FORMATS: tuple[Format, ...] = tuple(Format(*facts) for facts in _C.FORMATS)
_BY_NAME = {format.name: format for format in FORMATS}


def as_format(format: Format | str) -> Format:
    """Return the format that a name, in any case, or a format stands for; else ValueError."""
    if isinstance(format, Format):
        return format
    try:
        return _BY_NAME[format]
    except (KeyError, TypeError):
        pass
    found = _BY_NAME.get(format.lower()) if isinstance(format, str) else None
    if found is None:
        raise ValueError(f"format must be one of {', '.join(_BY_NAME)}; got {format!r}")
    return found
