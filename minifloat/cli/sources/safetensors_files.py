"""Rows of safetensors: tensors of floats, or packed vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from minifloat.cli.errors import InputError
from minifloat.cli.sources.source import (
    Block,
    Source,
    Wanted,
    chosen,
    refuse_names,
    refuse_no_rows,
    spans,
)
from minifloat.vectors import PackedVectors

_FLOATS = {
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}


def is_packed(path: str) -> bool:
    """Return whether a safetensors file holds packed vectors; ValueError if it is none."""
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            return {"codes", "reciprocal_norms"} <= {*file.keys()} and "format" in facts
    except SafetensorError as error:
        raise InputError(f"{path} is not a safetensors file: {error}") from error


def from_safetensors(wanted: Wanted) -> Source:
    """Return the rows of a tensor of floats, mapped, or packed rows."""
    return _packed(wanted) if is_packed(wanted.path) else _floats(wanted)


def _packed(wanted: Wanted) -> Source:
    refuse_names(wanted, "a file of packed vectors")
    if wanted.key is not None:
        raise InputError(f"{wanted.path} holds packed vectors alone; got --key {wanted.key!r}")
    packed = PackedVectors.load(wanted.path)

    def read(size: int) -> Iterator[Block]:
        for first, end in spans(len(packed), size):
            yield Block(first, packed[first:end])

    return Source(
        name=wanted.path,
        rows=len(packed),
        dim=packed.dim,
        dtype=torch.float32,
        read=read,
        packed=packed,
    )


def _floats(wanted: Wanted) -> Source:
    file = safe_open(wanted.path, "pt")
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    shapes = {name: tuple(one.get_shape()) for name, one in slices.items()}
    vectors = [name for name, shape in shapes.items() if len(shape) == 2]
    key = chosen(wanted.path, wanted.key, vectors, "tensors")
    rows, name = slices[key], f"{wanted.path}[{key}]"
    dtype = rows.get_dtype()
    refuse_no_rows(name, shapes[key], dtype, floats=dtype in _FLOATS)

    def read(size: int) -> Iterator[Block]:
        beside = {
            column: _values(wanted.path, column, shapes, file)
            for column in (*wanted.columns, *([wanted.id] if wanted.id else []))
        }
        for first, end in spans(shapes[key][0], size):
            some = {column: values[first:end] for column, values in beside.items()}
            ids = some.get(wanted.id) if wanted.id else None
            columns = {column: some[column] for column in wanted.columns}
            yield Block(first, rows[first:end], ids, columns)

    count, dim = shapes[key]
    return Source(name=name, rows=count, dim=dim, dtype=_FLOATS[dtype], read=read, originals=rows)


def _values(path: str, name: str, shapes: dict[str, tuple[int, ...]], file: Any) -> list[Any]:
    """Return the values of a tensor of one dimension, as Python has them."""
    if len(shapes.get(name, ())) != 1:
        one = ", ".join(key for key, shape in shapes.items() if len(shape) == 1) or "none"
        raise InputError(f"{path} has these tensors of a value a row: {one}; got {name!r}")
    values: list[Any] = file.get_tensor(name).tolist()
    return values
