"""Rows of any bytes, and all else that a test of any bytes chooses."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from hypothesis import strategies as st

import minifloat as mf
from tests.support import oracles
from tests.support.rows import rows_of_bytes

DIMS = [1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 128, 192, 511, 2183]

# With them come the largest numbers of every format, of both signs, and in some infinity and NaN.
EXTREMES = np.array([0, 1, 0x6F, 0xEF, 0x77, 0x7B, 0xFB, 0x7E, 0x7F, 0xFF], np.uint8)

Side = mf.PackedVectors | torch.Tensor


@dataclass(frozen=True)
class Case:
    """What to score; the bytes and all other choices follow from the seed."""

    seed: int
    dim: int
    queries: int
    rows: int
    threads: int
    kind: Literal["any", "extreme", "tied"]
    against: Literal["codes", "floats", "themselves"]

    def sides(self, format: mf.Format) -> tuple[Side, mf.PackedVectors]:
        rng = np.random.default_rng(self.seed)
        b = self.packed(rng, format, self.rows)
        if self.against == "themselves":
            return b, b
        floats = self.against == "floats"
        return self.floats(rng) if floats else self.packed(rng, format, self.queries), b

    def packed(self, rng: np.random.Generator, format: mf.Format, rows: int) -> mf.PackedVectors:
        shape = (rows, format.row_bytes(self.dim))
        if self.kind == "extreme":
            codes = rng.choice(EXTREMES, shape)
        else:
            codes = rng.integers(0, 256, shape, np.uint8)
        codes[rng.random(rows) < 0.1] = 0
        minus_zeros = np.full(self.dim, 2 ** (format.bits - 1), np.uint8)
        codes[rng.random(rows) < 0.05] = oracles.pack(minus_zeros, format.bits)
        if format.specials != "none":
            # Few rows of random bytes would be finite: most are made so.
            odd = ~np.isfinite(oracles.decode(codes, format))
            codes[odd & (rng.random((rows, 1)) < 0.8)] ^= 0x40
        if self.kind == "tied" and rows:
            codes = codes[rng.integers(0, min(rows, 5), rows)]
        return rows_of_bytes(torch.from_numpy(codes), format, self.dim)

    def floats(self, rng: np.random.Generator) -> torch.Tensor:
        sizes = np.exp2(rng.integers(-20, 20, (self.queries, 1)))
        x = rng.standard_normal((self.queries, self.dim)) * sizes
        x[rng.random(self.queries) < 0.1] = 0
        return torch.from_numpy(x.astype(np.float32))


def cases(*, least: int = 0) -> st.SearchStrategy[Case]:
    return st.builds(
        Case,
        seed=st.integers(0, 2**32 - 1),
        dim=st.sampled_from(DIMS),
        queries=st.integers(least, 70) | st.sampled_from([4, 5, 63, 64, 65, 68]),
        rows=st.integers(least, 130),
        threads=st.integers(1, 3),
        kind=st.sampled_from(["any", "extreme", "tied"]),
        against=st.sampled_from(["codes", "floats", "themselves"]),
    )
