"""How the Triton kernels multiply: in which types, planes, groups and tiles."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
from torch import Tensor

from minifloat.backends.triton.codec import SPECIALS_NAMES
from minifloat.backends.triton.launch import blocks
from minifloat.backends.triton.products import EXACT, LANES, ROW_SHIFT
from minifloat.formats import Format
from minifloat.ops.rows import Rows

# Groups of codes that are multiplied at once, and the warps of a program that does so.
_GROUPS = 32
WARPS = 8

# Compute capabilities on which groups of warps multiply bytes; Triton before 3.8 leaves out 10.0.
_VERSION = tuple(map(int, triton.__version__.split(".")[:2]))
_BYTES_BY_GROUP = (90, 100) if _VERSION >= (3, 8) else (90,)


@dataclass(frozen=True)
class Facts:
    """What kernels know of a format."""

    E: int
    M: int
    SPECIALS: int
    LANE: int


@dataclass(frozen=True)
class Way:
    """How tiles are multiplied, and how many scores of each query are kept: what kernels are for.

    An element of a query's high plane counts `query_base` of the low one. `chunk` groups add up
    exactly in an int32, 0 where all do; where `is_short` holds, so does what the planes come to.
    """

    format: Facts
    planes: int
    query_base: int
    groups: int
    chunk: int
    is_short: bool
    queries: int
    rows: int
    kept: int = 0


class Plan:
    """How the products of queries and a format's rows are made, by a GPU's compute capability."""

    def __init__(
        self, f: Format, dim: int, *, packed: bool, capability: int, block: int = _GROUPS
    ) -> None:
        self.format, self.dim, self.packed, self.capability = f, dim, packed, capability
        self.block = block
        # Codes that lie in whole bytes together.
        self.places = {8: 1, 6: 4, 4: 2}[f.bits]
        self.groups = blocks(dim, self.places * block) * block
        # What a query's elements are split into, and what one of the high plane counts.
        self.planes = 1 if packed and f.lane != "int16" else 2
        self.base = 1 << ROW_SHIFT if packed else 256
        # Sums of a warp that multiplies by itself lie in its registers.
        self.by_warp = not (
            90 <= capability < 120 if f.lane == "float" else capability in _BYTES_BY_GROUP
        )
        self.sums = {"float": 1, "int8": self.planes, "int16": 3 if packed else 4}[f.lane]

    def way(self, queries: int, k: int = 0) -> Way:
        """Return the way of so many queries, of each of which k scores are kept."""
        kept = triton.next_power_of_2(k)
        most = self._most_queries(kept)
        tile = 16 if queries <= 16 and kept <= 128 else most
        # Float queries come as int16.
        most_of_query = _steps(self.format) if self.packed else 2**15
        is_long = self.format.lane != "float" and self.dim > EXACT
        return Way(
            format=facts_of(self.format),
            planes=self.planes,
            query_base=self.base,
            groups=self.block,
            chunk=EXACT // self.places if is_long else 0,
            is_short=self.dim * _steps(self.format) * most_of_query < 2**31,
            queries=tile,
            rows=128 if tile == 128 and self.capability == 90 else 64,
            kept=kept if k else 0,
        )

    def _most_queries(self, kept: int) -> int:
        """Return how many queries of a tile registers hold, as the compiler tells of each GPU."""
        is_six = self.places == 4
        if is_six and self.sums > 1:
            return 32 if kept else 16
        if kept > 128:
            return 32
        if self.by_warp:
            return 64 if kept <= 16 and self.sums <= 2 and not is_six else 32
        if kept <= 16:
            return 128 if self.sums == 1 else 64
        return 64 if self.sums == 1 else 32

    def lay_out(self, elements: Tensor) -> Tensor:
        """Return queries in their lane by plane, by place in a group, by query, by group."""
        planes = torch.stack(_planes(elements, self))
        padded = torch.nn.functional.pad(planes, (0, self.groups * self.places - self.dim))
        shape = (self.planes, len(elements), self.groups, self.places)
        return padded.view(shape).permute(0, 3, 1, 2).contiguous()


def _steps(f: Format) -> float:
    """Return the largest element of a format in its lane."""
    return f.max * 2.0**f.fraction_bits


def constants_of(axes: int) -> dict[str, object]:
    """Return what kernels of rows with so many coordinates are compiled with."""
    constants: dict[str, object] = {"AXES": axes, "num_warps": WARPS}
    # Products of coordinates are rounded before they are added.
    return constants | {"enable_fp_fusion": False} if axes else constants


def plan_of(a: Rows, f: Format, dim: int) -> Plan:
    """Return the plan of queries on their device."""
    device, packed = a.data.device, a.is_packed
    if device.type == "cpu":
        # Triton's interpreter takes no longer for larger blocks.
        return Plan(f, dim, packed=packed, capability=90, block=8 * _GROUPS)
    capability = 80
    if torch.version.hip is None:
        major, minor = torch.cuda.get_device_capability(device)
        capability = 10 * major + minor
    return Plan(f, dim, packed=packed, capability=capability)


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


def unit_of(a: Rows, f: Format) -> float:
    """Return what a step of a product is worth, but for the scale of queries in their lane."""
    if f.lane == "float":
        return 1.0
    return float(2.0 ** (-f.fraction_bits * (2 if a.is_packed else 1)))


def facts_of(f: Format) -> Facts:
    specials = SPECIALS_NAMES.index(f.specials)
    return Facts(f.exponent_bits, f.mantissa_bits, specials, LANES.index(f.lane))
