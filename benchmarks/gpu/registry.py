"""What is measured, what matters most first."""

from __future__ import annotations

from functools import partial

import minifloat as mf
from benchmarks.elementwise import DIM
from benchmarks.gpu.cases import Case
from benchmarks.gpu.codec import CODEC_RIVALS, OPS, CodecCase
from benchmarks.gpu.equality import EqualityCase
from benchmarks.gpu.host import HostCase
from benchmarks.gpu.search import SearchCase
from benchmarks.gpu.search_rivals import SEARCH_RIVALS

_VALUES = 2**28
_MANY_ROWS, _ROWS, _EQUAL_ROWS = 10_000_000, 1_000_000, 100_000
_HOST_BYTES = 4 * 10**9
# Matrices of this side keep all matrix units busy.
_SIDE = 8192
# Rows come in such steps for the matrix products of rivals, and suffice for the largest k.
_ROW_STEP, _LEAST_ROWS = 16, 128
# Batches of all shapes are searched in the smallest format and in the commonest.
_TYPICAL = (mf.E2M1, mf.E4M3)


def cases(scale: int) -> list[Case]:
    """Return every case, its sizes divided by the scale."""

    def rows(count: int) -> int:
        return max(_LEAST_ROWS, count // scale // _ROW_STEP * _ROW_STEP)

    def queries(count: int) -> int:
        return max(1, count // scale)

    values = max(1, _VALUES // scale // DIM) * DIM
    side = max(_ROW_STEP * 2, round(_SIDE / scale ** (1 / 3)) // _ROW_STEP * _ROW_STEP)
    search = partial(SearchCase, side=side, rivals=SEARCH_RIVALS)
    integers = tuple(f for f in mf.FORMATS if f.lane != "float")
    host = mf.E4M3
    made: list[Case] = [CodecCase(op, f, values, CODEC_RIVALS) for op in OPS for f in mf.FORMATS]
    made.append(EqualityCase(integers, queries(256), rows(_EQUAL_ROWS), 256))
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
