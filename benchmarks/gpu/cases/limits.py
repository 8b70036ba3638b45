"""What bounds a search on a GPU: reads of as many bytes, or products of its matrix units."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor

from benchmarks.harness.contest import Entrant, limit
from benchmarks.harness.device import Device
from benchmarks.harness.timing import Run

# The types in which the matrix units' peak is measured.
_PEAKS = ("int8", "float16")


def reads(databases: Iterable[tuple[int, Tensor]]) -> list[Entrant]:
    """Return reads of codes of so many bits, of which the fastest counts."""
    return [
        limit(_read_name(bits, way), partial(start, codes), bytes=codes.nbytes)
        for bits, codes in dict(databases).items()
        for way, start in _WAYS.items()
    ]


def products(side: int, device: Device) -> list[Entrant]:
    """Return products of square matrices of a side."""
    return [
        limit(
            _product_name(peak),
            partial(_product, getattr(torch, peak), side, device),
            work={"tops": 2 * side**3 / 1e12},
        )
        for peak in _PEAKS
    ]


def read_limits(bits: int) -> dict[str, tuple[str, ...]]:
    """Return the names of the reads that bound a format of so many bits."""
    return {"read": tuple(_read_name(bits, way) for way in _WAYS)}


def product_limits() -> dict[str, tuple[str, ...]]:
    """Return the names of the products that bound any format."""
    return {f"{peak}_peak": (_product_name(peak),) for peak in _PEAKS}


def _read(reduction: Callable[[Tensor], Tensor], dtype: torch.dtype, codes: Tensor) -> Run:
    flat = codes.view(-1)
    return partial(reduction, flat[: len(flat) // 8 * 8].view(dtype))


_WAYS: dict[str, Callable[[Tensor], Run]] = {
    "int64 sum": partial(_read, torch.sum, torch.int64),
    "float32 sum": partial(_read, torch.sum, torch.float32),
    "int32 amax": partial(_read, torch.amax, torch.int32),
}


def _read_name(bits: int, way: str) -> str:
    return f"read of {bits} bits a value, {way}"


def _product_name(peak: str) -> str:
    return f"multiply {peak}"


def _product(dtype: torch.dtype, side: int, device: Device) -> Run:
    """Return the product of two random matrices, both with their sums' dimension last."""
    draw = partial(torch.randint, -127, 128, (side, side), device=device.torch)
    a, b = (draw(generator=device.generator(seed)).to(dtype) for seed in range(2))
    if dtype == torch.int8:
        return partial(torch._int_mm, a, b.T)
    # Sums of larger numbers would be infinite.
    return partial(torch.matmul, a / 127, b.T / 127)
