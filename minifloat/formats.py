"""The formats: read from the C++ table, with the limits that follow from their three facts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch

from minifloat import _C

if TYPE_CHECKING:
    from numpy.typing import NDArray

Specials = Literal["ieee", "nan", "none"]
Lane = Literal["int8", "int16", "float"]
FormatLike: TypeAlias = "Format | str | torch.dtype | np.dtype[Any] | type[np.generic]"


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

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how a pickle finds the format again: by its name, in `FORMATS`."""
        return as_format, (self.name,)

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
        """What ml_dtypes calls, or would call, the format, and torch where it fills bytes."""
        return f"float{self.bits}_{self.name}" + ("" if self.specials == "ieee" else "fn")

    @property
    def _torch_name(self) -> str | None:
        """What torch calls, or would call, bytes of the format; None where codes cross bytes."""
        if 8 % self.bits:
            return None
        return self._standard_name + ("" if self.bits == 8 else f"_x{8 // self.bits}")

    @property
    def torch_dtype(self) -> torch.dtype | None:
        """The torch dtype whose bytes are this format's packed rows, or None."""
        return getattr(torch, self._torch_name, None) if self._torch_name else None

    @property
    def ml_dtype(self) -> np.dtype[Any] | None:
        """The ml_dtypes dtype whose bytes are codes, one a byte, or None where it has none.

        Raises ImportError where ml_dtypes is not installed.
        """
        try:
            import ml_dtypes
        except ImportError as error:
            message = "Format.ml_dtype needs ml_dtypes: pip install ml_dtypes"
            raise ImportError(message) from error
        dtype = getattr(ml_dtypes, self._standard_name, None)
        return None if dtype is None else np.dtype(dtype)


FORMATS: tuple[Format, ...] = tuple(Format(*facts) for facts in _C.FORMATS)
_BY_NAME: dict[object, Format] = {
    name: f
    for f in FORMATS
    for name in (f.name, f._standard_name, f._torch_name, f.torch_dtype)
    if name
}


def as_format(format: FormatLike) -> Format:
    """Return the format that a name, a dtype or a format stands for; else ValueError.

    Names are the formats' own, in any case, and those that ml_dtypes and torch give them, as are
    dtypes: `e4m3`, `float8_e4m3fn`, `torch.float8_e4m3fn`, `ml_dtypes.float8_e4m3fn`.
    """
    if isinstance(format, Format):
        return format
    try:
        return _BY_NAME[format]
    except (KeyError, TypeError):
        pass
    name = _name(format)
    found = _BY_NAME.get(name)
    if found is None:
        allowed = ", ".join(f.name for f in FORMATS)
        raise ValueError(f"format must be one of {allowed}; got {format!r}{_likeness(name)}")
    return found


def _name(format: object) -> str:
    """Return the name of what may be a format, in small letters; else an empty one."""
    if isinstance(format, type) and issubclass(format, np.generic):
        return format.__name__.lower()
    # A tuple, for torch 2.8 compiles no union of types.
    named = isinstance(format, (str, torch.dtype, np.dtype))
    return str(format).lower().removeprefix("torch.") if named else ""


def _likeness(name: str) -> str:
    """Return, of a name that only looks like a format's, how they differ."""
    for f in FORMATS:
        plain = f"float{f.bits}_{f.name}"
        if name.startswith(plain):
            differs = "whose codes mean other values"
            if name == plain:
                # Without a suffix the top exponent is that of infinity and NaN, as in IEEE 754.
                largest = (2 - 2.0**-f.mantissa_bits) * 2.0**f.bias
                differs = f"whose largest value is {largest:g}"
            return f", {differs}: {f.name} is {f._standard_name}, whose largest value is {f.max:g}"
    return ""
