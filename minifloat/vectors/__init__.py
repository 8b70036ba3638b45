"""Packed vectors: made by `quantize`, kept in files, searched and scored."""

from minifloat.vectors.packed import PackedVectors
from minifloat.vectors.quantizing import quantize

__all__ = ["PackedVectors", "quantize"]
