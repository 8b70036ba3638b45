"""The operators on CUDA tensors: checks and allocation by `ops`, the work by the CUDA kernels.

Work is put into the current stream and not waited for, so values are not looked at: pairs and
ranges must be right, and where fewer than k rows take part in a search, the rest of an answer is
row -1 with score NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minifloat import _cuda, ops
from minifloat.formats import as_format

_SOURCE_INDEX = {dtype: index for index, dtype in enumerate(ops.SOURCES)}


def encode(x: Tensor, format: str, saturate: bool) -> Tensor:
    out, x = ops.encode(x, format, saturate), x.contiguous()
    _run(
        _cuda.encode,
        x,
        as_format(format).index,
        _SOURCE_INDEX[x.dtype],
        saturate,
        x.data_ptr(),
        x.numel(),
        out.data_ptr(),
    )
    return out


def decode(codes: Tensor, format: str) -> Tensor:
    out, codes = ops.decode(codes, format), codes.contiguous()
    _run(
        _cuda.decode,
        codes,
        as_format(format).index,
        codes.data_ptr(),
        codes.numel(),
        out.data_ptr(),
    )
    return out


def round(x: Tensor, format: str, saturate: bool) -> Tensor:
    return decode(encode(x, format, saturate), format).to(x.dtype)


def pack(codes: Tensor, format: str) -> Tensor:
    out, codes = ops.pack(codes, format), codes.contiguous()
    _run(
        _cuda.pack,
        codes,
        as_format(format).index,
        codes.data_ptr(),
        _rows(codes),
        codes.shape[-1],
        out.data_ptr(),
    )
    return out


def unpack(packed: Tensor, format: str, dim: int) -> Tensor:
    out, packed = ops.unpack(packed, format, dim), packed.contiguous()
    _run(
        _cuda.unpack,
        packed,
        as_format(format).index,
        packed.data_ptr(),
        _rows(out),
        dim,
        out.data_ptr(),
    )
    return out


def encode_pack(x: Tensor, format: str, saturate: bool) -> Tensor:
    out, x = ops.encode_pack(x, format, saturate), x.contiguous()
    _run(
        _cuda.encode_pack,
        x,
        as_format(format).index,
        _SOURCE_INDEX[x.dtype],
        saturate,
        x.data_ptr(),
        _rows(x),
        x.shape[-1],
        out.data_ptr(),
    )
    return out


def _rows(x: Tensor) -> int:
    """Rows of x along its last dimension; a row may be empty."""
    return x.shape[:-1].numel()


def _run(kernel: Callable[..., None], on: Tensor, *arguments: Any) -> None:
    """Put a kernel into the current stream of a tensor's device."""
    if on.is_cuda:
        with torch.cuda.device(on.device):
            kernel(*arguments, torch.cuda.current_stream().cuda_stream)
    else:
        kernel(*arguments, 0)
