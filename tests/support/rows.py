"""Rows that tests are made with, and what it means that two are the same."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import minifloat as mf
from tests.support import oracles

# Of rows where nothing depends on it.
DIM = 13
# Around what kernels of any instruction set take at once, and far above it.
DIMS = [1, 7, 9, 15, 17, 31, 33, 63, 65, 192, 511, 2183]


def normal(rows: int, dim: int = DIM, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))


def random_rows(format: mf.Format, rows: int, dim: int, seed: int = 0) -> mf.PackedVectors:
    return mf.quantize(normal(rows, dim, seed), format)


def rows_of_bytes(packed: torch.Tensor, format: mf.Format, dim: int) -> mf.PackedVectors:
    """Rows of any bytes, also of those that `quantize` would refuse to make."""
    norms = torch.ops.minifloat.reciprocal_norms(packed, format.name, dim)
    return mf.PackedVectors(packed, norms, format, dim)


def rows_of_codes(codes: NDArray[np.uint8], format: mf.Format) -> mf.PackedVectors:
    """Rows of any codes, as `rows_of_bytes` are of bytes."""
    packed = torch.from_numpy(oracles.pack(codes, format.bits))
    return rows_of_bytes(packed, format, codes.shape[1])


def assert_same(found: Any, expected: Any) -> None:
    """Scores are equal bit for bit, but for which NaN it is."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def assert_equal(found: mf.PackedVectors, expected: mf.PackedVectors) -> None:
    """Rows are equal, and their norms bit for bit."""
    assert (found.format, found.dim) == (expected.format, expected.dim)
    assert torch.equal(found.codes, expected.codes)
    bits, expected_bits = (v.reciprocal_norms.view(torch.int32) for v in (found, expected))
    assert torch.equal(bits, expected_bits)


def assert_rows(found: mf.PackedVectors, rows: mf.PackedVectors, numbers: list[int]) -> None:
    """What was found are the rows of these numbers."""
    assert (found.format, found.dim, len(found)) == (rows.format, rows.dim, len(numbers))
    assert torch.equal(found.codes, rows.codes[torch.tensor(numbers, dtype=torch.int64)])
    norms = torch.stack([rows.reciprocal_norms[n] for n in numbers]) if numbers else torch.zeros(0)
    assert torch.equal(found.reciprocal_norms, norms)


def of_any_size(dim: int, dtype: torch.dtype) -> torch.Tensor:
    """Rows as large and as small as a type has them, down to its subnormals, and zero ones."""
    info = torch.finfo(dtype)
    x = normal(12, dim, dim).double()
    x /= x.abs().amax(1, keepdim=True)
    least = info.tiny * info.eps
    sizes = [1, 3e-5, info.max, info.max / 3, info.tiny, info.tiny * 0.7, 5 * least, least, 0, 40]
    rows = x[:10] * torch.tensor(sizes, dtype=torch.float64)[:, None]
    return torch.cat([rows, x[10:]]).to(dtype)
