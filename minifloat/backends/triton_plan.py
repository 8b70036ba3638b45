"""How the Triton kernels multiply: in which types, planes, groups and tiles."""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from minifloat.backends import triton_codec as codec
from minifloat.backends import triton_search as kernels
from minifloat.formats import Format

_ops = torch.ops.minifloat

# Groups of codes that are multiplied at once, and the warps of a program that does so.
_GROUPS = 32
WARPS = 8


class Plan:
    """How the products of queries and a format's rows are made."""

    def __init__(self, f: Format, dim: int, *, packed: bool, wide: bool) -> None:
        self.format, self.dim, self.packed, self.wide = f, dim, packed, wide
        self.rows = 64 if wide else 32  # of a program's tile
        # Codes that lie in whole bytes together.
        self.places = {8: 1, 6: 4, 4: 2}[f.bits]
        self.groups = blocks(dim, self.places * _GROUPS) * _GROUPS
        # What a query's elements are split into, and what one of the high plane counts.
        self.planes = 1 if packed and f.lane != "int16" else 2
        self.base = 1 << kernels.ROW_SHIFT if packed else 256

    def constants(self, queries: int, k: int = 1) -> dict[str, int]:
        """Return the constants of kernels that multiply tiles, which registers hold."""
        # Codes of 6 bits take the most registers, and with queries in two planes twice as many.
        is_heavy = self.places == 4 and self.planes == 2
        most = 16 if not self.wide else 32 if is_heavy else 64
        most = min(most, (2048 if is_heavy else 4096) // triton.next_power_of_2(k))
        is_long = self.format.lane != "float" and self.dim > kernels.EXACT
        return lane_of(self.format) | {
            "PLANES": self.planes,
            "QUERY_BASE": self.base,
            "GROUPS": _GROUPS,
            "CHUNK": kernels.EXACT // self.places if is_long else 0,
            "QUERIES": max(16, min(most, triton.next_power_of_2(queries))),
            "ROWS": self.rows,
        }

    def lay_out(self, a: Tensor) -> Tensor:
        """Return queries by plane, by place in a group, by query, by group."""
        elements = _elements(a, self.format, self.dim) if self.packed else a
        planes = torch.stack(_planes(elements, self))
        padded = torch.nn.functional.pad(planes, (0, self.groups * self.places - self.dim))
        shape = (self.planes, len(a), self.groups, self.places)
        return padded.view(shape).permute(0, 3, 1, 2).contiguous()


def plan_of(a: Tensor, f: Format, dim: int) -> Plan:
    # Only from Hopper on do products of 64 queries leave registers to the rest.
    wide = a.device.type == "cpu" or (
        torch.version.hip is None and torch.cuda.get_device_capability(a.device)[0] >= 9
    )
    return Plan(f, dim, packed=a.dtype == torch.uint8, wide=wide)


def _elements(packed: Tensor, f: Format, dim: int) -> Tensor:
    """Return packed rows as elements of their lane."""
    values: Tensor = _ops.decode(_ops.unpack(packed, f.name, dim), f.name)
    if f.lane == "float":
        return values
    steps = values.nan_to_num(0, 0, 0) * float(2.0**f.fraction_bits)
    return steps.to(torch.int16)


def _planes(elements: Tensor, plan: Plan) -> list[Tensor]:
    """Return what adds up to elements, high first, in types of matrix units."""
    if plan.format.lane == "float":
        high = elements.half()
        return [high] if plan.planes == 1 else [high, (elements - high).half()]
    if plan.planes == 1:
        return [elements.to(torch.int8)]
    low = elements.int() & (plan.base - 1)
    low = torch.where(low > 127, low - plan.base, low)
    high = (elements - low) // plan.base
    return [high.to(torch.int8), low.to(torch.int8)]


def unit_of(a: Tensor, f: Format) -> float:
    """Return what a step of a product is worth, but for the scale of queries in their lane."""
    if f.lane == "float":
        return 1.0
    return float(2.0 ** (-f.fraction_bits * (2 if a.dtype == torch.uint8 else 1)))


def facts_of(f: Format) -> dict[str, int]:
    return {
        "E": f.exponent_bits,
        "M": f.mantissa_bits,
        "SPECIALS": codec.SPECIALS_NAMES.index(f.specials),
    }


def lane_of(f: Format) -> dict[str, int]:
    return {"LANE": kernels.LANES.index(f.lane), **facts_of(f)}


def blocks(count: int, size: int) -> int:
    return -(-count // size)
