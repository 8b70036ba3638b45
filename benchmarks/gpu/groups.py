"""What is measured, by group; of each what matters most comes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import minifloat as mf
from benchmarks.codec import DIM
from benchmarks.gpu.cases.calls import (
    EXACT_SEARCH,
    FLOAT_SEARCH,
    FRAME_SEARCH,
    RANGE_SEARCH,
    CallCase,
)
from benchmarks.gpu.cases.codec import DeviceCodecCase
from benchmarks.gpu.cases.digests import PATTERNS, DigestCase
from benchmarks.gpu.cases.equality import CodecEquality, ScoresEquality, SearchEquality
from benchmarks.gpu.cases.host import HostCase
from benchmarks.gpu.cases.memory import MemoryCase
from benchmarks.gpu.cases.search import DeviceSearchCase
from benchmarks.gpu.cases.ways import WaysCase
from benchmarks.harness.case import Case
from benchmarks.harness.contest import ContestCase

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

    def search(queries: int, dim: int, k: int, **more: Any) -> Case:
        return SearchEquality(_THREE, _queries(queries, scale), rows, dim, k=min(k, rows), **more)

    # Few queries, aligned and not; by warpgroups, which take wide rows in smaller tiles; and in
    # chunks, of which the last has more slices than the first.
    shapes = [(1, 256, 10), (1, 200, 100), (8, 256, 10), (9, 256, 10), (33, 256, 1000)]
    shapes += [(64, 512, 100), (20, 768, 10), (100, 1536, 100)]
    shapes += [(100, 256, 10), (100, 192, 1000), (5000, 256, 10)]
    made = [search(*shape) for shape in shapes]
    made += [search(queries, 256, 1000, order="ascending") for queries in (1, 16, 100)]
    made += [search(queries, 256, 10, axes=axes) for queries in (1, 16, 100) for axes in (1, 4)]
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
    call = partial(CallCase, dim=256, k=10, bound="read", side=side)
    batch = partial(search, rows=rows(_ROWS), bound="multiply")
    few = partial(search, rows=rows(_MANY_ROWS), dim=256, k=10, bound="read", formats=mf.FORMATS)
    host = mf.E4M3
    made: list[Case] = [DeviceCodecCase("encode_pack", f, values) for f in mf.FORMATS]
    made += [few(count) for count in (1, 8, 64, 9, 16, 32)]
    made += [batch(queries(4096), dim=256, k=k, formats=mf.FORMATS) for k in (10, 100)]
    made.append(call(1, rows(_ROWS), formats=mf.FORMATS, call=FLOAT_SEARCH))
    made.append(HostCase(host, 64, rows(_HOST_BYTES // host.row_bytes(256)), 256, 10))
    made += [MemoryCase(_TYPICAL, queries(4096), rows(_ROWS // 8), 256, k) for k in (10, 100)]
    made += [
        call(queries(count), rows(_ROWS), formats=_TYPICAL, call=name, axes=axes)
        for name, axes in ((FRAME_SEARCH, 1), (FRAME_SEARCH, 4), (RANGE_SEARCH, 0))
        for count in (1, 64, 4096)
    ]
    # By fewer bits than E4M3's, half of these rows might be among the best, and all be read.
    exact = partial(call, rows=rows(_ROWS), formats=(mf.E4M3,), call=EXACT_SEARCH)
    made += [exact(queries(count)) for count in (1, 64)]
    made += [
        batch(queries(1024), dim=dim, k=k, formats=_TYPICAL)
        for dim in (256, 192, 512, 768, 1024, 1536)
        for k in (10, 100)
    ]
    made += [DeviceCodecCase("decode", f, values) for f in mf.FORMATS]
    made += [DeviceCodecCase("encode_pack", f, values, "bfloat16") for f in mf.FORMATS]
    made += [batch(queries(16384), dim=256, k=k, formats=_TYPICAL) for k in (10, 100)]
    return made


def ways(scale: int) -> list[Case]:
    """Return the cases of bars that show the kernels' ways, without the longest."""
    cases = [one for one in bars(scale) if isinstance(one, ContestCase)]
    shown = [one for one in cases if one.op != "decode" and not isinstance(one, HostCase)]
    return [WaysCase(one) for one in shown if one.inputs.get("queries", 0) != 16384]


GROUPS: dict[str, Callable[[int], list[Case]]] = {
    "launch": launches,
    "equality": equalities,
    "digests": digests,
    "bars": bars,
    "ways": ways,
}
