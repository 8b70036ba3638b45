"""Every kernel on memory of exactly its size, watched by valgrind: scripts/test --valgrind

Memcheck tells of reads and writes outside of that memory, and of what depends on memory that
nobody has written; then the exit status is 1. Valgrind knows no AVX-512, which is left to
`scripts/test --sanitize`, and cannot run a build with sanitizers.
"""

from __future__ import annotations

import argparse
import array
import ctypes
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from tempfile import NamedTemporaryFile
from typing import Any

from benchmarks.instructions.extension import Format, formats, load

# Around the widths of registers, and past the blocks that kernels work in.
DIMS = (1, 7, 9, 15, 17, 31, 33, 63, 65, 192, 511)
# A few are multiplied with packed rows one by one, more of them in tiles: some whole, some cut.
QUERIES = (1, 3, 5, 70)
# Less than a block of rows, and more than one.
ROWS = (1, 67)
# Shares of errors are as many as the square of it.
MOST_FED_BACK = 65
# From so many values on, encoders write past the cache.
LONG_RUN = 1 << 22
# Bytes of a value of each source.
SOURCE_BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
# Torch's, and what writing past the cache asks for.
ALIGNMENT = 64
THREADS = 1

# Python itself looks at bits that nobody has written, without their mattering.
SUPPRESSIONS = "".join(
    f"{{\n  python\n  Memcheck:{kind}\n  obj:*python3*\n}}\n" for kind in ("Cond", "Value8")
)
WATCHED = "--watched"

_libc = ctypes.CDLL(None)
_libc.memalign.restype = ctypes.c_void_p
_null = os.open(os.devnull, os.O_WRONLY)
_random = random.Random(0)


class Memory:
    """So many bytes and not one more: what was given, or bytes not written yet."""

    def __init__(self, content: bytes | int) -> None:
        self.bytes = content if isinstance(content, int) else len(content)
        self.address: int = _libc.memalign(ctypes.c_size_t(ALIGNMENT), ctypes.c_size_t(self.bytes))
        if not isinstance(content, int):
            ctypes.memmove(self.address, content, self.bytes)

    def __del__(self) -> None:
        _libc.free(ctypes.c_void_p(self.address))

    def read(self) -> None:
        """Hand all bytes to the system, so that memcheck tells of one not written yet."""
        _libc.write(_null, ctypes.c_void_p(self.address), ctypes.c_size_t(self.bytes))


def watch() -> int:
    """Run this program under valgrind; return its exit status."""
    with NamedTemporaryFile("w", suffix=".supp") as suppressions:
        suppressions.write(SUPPRESSIONS)
        suppressions.flush()
        valgrind = ["valgrind", "--quiet", "--error-exitcode=1", "--leak-check=no"]
        valgrind.append(f"--suppressions={suppressions.name}")
        # Python's own allocator would hide from memcheck what is whose.
        environment = {**os.environ, "PYTHONMALLOC": "malloc"}
        program = [sys.executable, "-m", "tests.proofs.memcheck", WATCHED]
        return subprocess.run([*valgrind, *program], env=environment).returncode


def call_all() -> None:
    """Call all kernels in all formats and in the instruction sets that valgrind knows."""
    extension = load()
    for isa in extension.available_isas():
        extension.set_isa(isa)
        for format in formats(extension):
            print(isa, format.name, flush=True)
            for dim in DIMS:
                codec(extension, format, rows=3, dim=dim)
                quantizing(extension, format, rows=3, dim=dim)
                for rows in ROWS:
                    scoring(extension, format, rows, dim)
            codec(extension, format, rows=1, dim=LONG_RUN + 3, sources=["float32"])


def codec(
    extension: Any, format: Format, *, rows: int, dim: int, sources: Sequence[str] = ()
) -> None:
    """Encode values of any bits, and take the codes through all other operations."""
    index, count = format.index, rows * dim
    codes, packed = Memory(count), Memory(rows * format.row_bytes(dim))
    for name, saturate in product(sources or extension.SOURCES, (True, False)):
        source = extension.SOURCES.index(name)
        values = Memory(_random.randbytes(count * SOURCE_BYTES[name]))
        to_codes = (index, source, saturate, values.address, count, codes.address)
        call(extension.encode, *to_codes, out=[codes])
        to_packed = (index, source, saturate, values.address, rows, dim, packed.address)
        call(extension.encode_pack, *to_packed, out=[packed])
    decoded, unpacked = Memory(4 * count), Memory(count)
    call(extension.decode, index, codes.address, count, decoded.address, out=[decoded])
    call(extension.pack, index, codes.address, rows, dim, packed.address, out=[packed])
    call(extension.unpack, index, packed.address, rows, dim, unpacked.address, out=[unpacked])


def quantizing(extension: Any, format: Format, *, rows: int, dim: int) -> None:
    """Quantize finite values of each type, or make queries of them; in a frame of two axes too."""
    packed, norms = Memory(rows * format.row_bytes(dim)), Memory(4 * rows)
    rest, along, lengths = Memory(4 * rows * dim), Memory(8 * rows), Memory(4 * rows)
    elements = Memory(rows * dim * (4 if format.lane == "float" else 2))
    in_lane = extension.InLane(elements.address, norms.address)
    axes = of_type("f", [_random.uniform(-1, 1) for _ in range(2 * dim)])
    few = min(dim, MOST_FED_BACK)
    shares = of_type("f", [_random.uniform(-1, 1) / dim for _ in range(few * few)])
    signs, order = of_type("f", [1, -1] * dim), of_type("q", list(range(dim))[::-1])
    for name, saturate in product(extension.SOURCES, (True, False)):
        source, size = extension.SOURCES.index(name), SOURCE_BYTES[name]
        # With the highest exponent bit unset a value of any type is finite.
        content = bytearray(_random.randbytes(rows * dim * size))
        for last in range(size - 1, len(content), size):
            content[last] &= 0xBF
        values = Memory(bytes(content))
        given = extension.ValueRows(values.address, dim * size, rows, dim)
        ways = product((1, 2), (0, 1)) if name == "float32" else [(1, 0)]
        for scale, estimator in ways:
            how = extension.Rounding(format.index, source, scale, estimator, saturate)
            found = (packed.address, norms.address)
            call(extension.quantize, how, given, *found, out=[packed, norms])
        call(extension.to_lane, format.index, source, given, in_lane, out=[elements, norms])
        for rounds, fed_back in ((1, False), (2, dim <= MOST_FED_BACK)):
            turn = (signs.address, rounds, order.address)
            part = shares.address if fed_back else 0
            frame = extension.Frame(dim, axes.address, 2, *turn, part)
            projected = (rest.address, along.address, lengths.address)
            call(extension.project, source, given, frame, *projected, out=[rest, along, lengths])
            how = extension.Rounding(format.index, source, 2, 1, saturate)
            framed = (packed.address, norms.address, along.address)
            into = [packed, norms, along]
            call(extension.quantize_in_frame, how, frame, given, *framed, out=into)
            queries, into = (format.index, source, frame, given, in_lane), [elements, norms, along]
            call(extension.to_lane_in_frame, *queries, along.address, out=into)


def scoring(extension: Any, format: Format, rows: int, dim: int) -> None:
    """Score and search packed rows by packed rows and by rows of the lane's elements."""
    database, norms = packed_rows(extension, format, rows, dim)
    along = of_type("f", [0.5] * 2 * max(rows, *QUERIES))
    for queries, packed, axes in product(QUERIES, (True, False), (0, 2)):
        make = packed_rows if packed else element_rows
        a, a_norms = make(extension, format, queries, dim)
        a_side = extension.Rows(a.address, a_norms.address, queries, packed, along.address, axes)
        b_side = extension.Rows(database.address, norms.address, rows, True, along.address, axes)
        sides = extension.Sides(format.index, dim, a_side, b_side)

        out = Memory(4 * queries * rows)
        call(extension.scores, sides, out.address, out=[out])

        pairs = [n for q in range(queries) for n in (q, q % rows)]
        listed, out = of_type("q", pairs), Memory(4 * queries)
        call(extension.pair_scores, sides, listed.address, queries, out.address, out=[out])

        # Two ranges, and a mask with the first row of each.
        k, ranges = min(rows, 2), of_type("q", [0, rows // 2, rows // 2, rows])
        mask = Memory(bytes(r % 3 == 0 or r == rows // 2 for r in range(rows)))
        scores, indices = Memory(4 * queries * k), Memory(8 * queries * k)
        for selected in (None, mask.address):
            selection = extension.Selection(selected, ranges.address, 2)
            asked, found = extension.Best(sides, selection, k), (scores.address, indices.address)
            call(extension.best, asked, *found, out=[scores, indices])


def packed_rows(extension: Any, format: Format, rows: int, dim: int) -> tuple[Memory, Memory]:
    """Return rows of any codes, and their reciprocal norms."""
    packed, norms = Memory(_random.randbytes(rows * format.row_bytes(dim))), Memory(4 * rows)
    arguments = (format.index, packed.address, rows, dim, norms.address)
    call(extension.reciprocal_norms, *arguments, out=[norms])
    return packed, norms


def element_rows(extension: Any, format: Format, rows: int, dim: int) -> tuple[Memory, Memory]:
    """Return rows of what the format's lane multiplies, and norms that are as good as any."""
    norms = of_type("f", [1] * rows)
    if format.lane == "float":
        return of_type("f", [_random.gauss() for _ in range(rows * dim)]), norms
    limit = extension.query_max(format.index, dim)
    return of_type("h", [_random.randint(-limit, limit) for _ in range(rows * dim)]), norms


def of_type(code: str, values: Sequence[float]) -> Memory:
    return Memory(array.array(code, values).tobytes())


def call(kernel: Any, *arguments: Any, out: Sequence[Memory]) -> None:
    """Call a kernel, then read what it must have written."""
    kernel(*arguments, THREADS)
    for memory in out:
        memory.read()


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="scripts/test --valgrind", description=__doc__)
    options.add_argument(WATCHED, action="store_true", help=argparse.SUPPRESS)
    if not options.parse_args().watched:
        sys.exit(watch())
    call_all()
