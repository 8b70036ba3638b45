"""What is measured, by group; of each what matters most comes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import minifloat as mf
from benchmarks.codec import DIM
from benchmarks.gpu.cases.codec import OPS, DeviceCodecCase
from benchmarks.gpu.cases.digests import PATTERNS, DigestCase
from benchmarks.gpu.cases.equality import CodecEquality, ScoresEquality, SearchEquality
from benchmarks.gpu.cases.host import HostCase
from benchmarks.gpu.cases.search import DeviceSearchCase
from benchmarks.harness.case import Case

_VALUES = 2**28
_MANY_ROWS, _ROWS, _EQUAL_ROWS = 10_000_000, 1_000_000, 100_000
_HOST_BYTES = 4 * 10**9
# Matrices of this side keep all matrix units busy.
_SIDE = 8192
# Rows come in such steps for the matrix products of rivals, and suffice for the largest k.
_ROW_STEP, _LEAST_ROWS = 16, 128
# Batches of all shapes are searched in the smallest format and in the commonest.
_TYPICAL = (mf.E2M1, mf.E4M3)


_INTEGERS = tuple(f for f in mf.FORMATS if f.lane != "float")
# One of each width and of each kind of product.
_THREE = (mf.E2M1, mf.E2M3, mf.E3M4)


def _rows(count: int, scale: int) -> int:
    return max(_LEAST_ROWS, count // scale // _ROW_STEP * _ROW_STEP)


def _queries(count: int, scale: int) -> int:
    return max(1, count // scale)


def launches(scale: int) -> list[Case]:
    """Return the least that shows that kernels load and run."""
    return [CodecEquality((f,), 3, 1000, 203) for f in mf.FORMATS]


def equalities(scale: int) -> list[Case]:
    """Return searches and scores whose bits are the same everywhere."""
    rows = _rows(_EQUAL_ROWS, scale)
    # By warps; by warpgroups; and in chunks, of which the last has more slices than the first.
    shapes = ((1, 256, 10), (1, 200, 100), (100, 256, 10), (100, 192, 1000), (5000, 256, 10))
    made: list[Case] = [
        SearchEquality(_THREE, _queries(count, scale), rows, dim, min(k, rows))
        for count, dim, k in shapes
    ]
    made.append(ScoresEquality(_INTEGERS, _queries(256, scale), rows, 256))
    return made


def digests(scale: int) -> list[Case]:
    """Return all inputs of every encoder."""
    return [DigestCase(f, max(1000, PATTERNS // scale)) for f in mf.FORMATS]


def bars(scale: int) -> list[Case]:
    """Return what is timed beside limits and rivals, its sizes divided by the scale."""
    rows, queries = partial(_rows, scale=scale), partial(_queries, scale=scale)
    values = max(1, _VALUES // scale // DIM) * DIM
    side = max(_ROW_STEP * 2, round(_SIDE / scale ** (1 / 3)) // _ROW_STEP * _ROW_STEP)
    search = partial(DeviceSearchCase, side=side)
    host = mf.E4M3
    made: list[Case] = [DeviceCodecCase(op, f, values) for op in OPS for f in mf.FORMATS]
    made += [search(count, rows(_MANY_ROWS), 256, 10, mf.FORMATS, "read") for count in (1, 8, 64)]
    made.append(HostCase(host, 64, rows(_HOST_BYTES // host.row_bytes(256)), 256, 10))
    made.append(search(queries(4096), rows(_ROWS), 256, 10, mf.FORMATS, "multiply"))
    made += [
        search(queries(count), rows(_ROWS), dim, k, _TYPICAL, "multiply")
        for dim in (256, 192, 512)
        for k in (10, 100)
        for count in (1024, 16384)
    ]
    return made


GROUPS: dict[str, Callable[[int], list[Case]]] = {
    "launch": launches,
    "equality": equalities,
    "digests": digests,
    "bars": bars,
}
