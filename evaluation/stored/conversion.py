"""What storing embeddings in one way does to their values, and how they are compared then."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

import minifloat as mf
from evaluation.embeddings.embeddings import Embeddings
from evaluation.stored.conditions import Condition
from evaluation.stored.scorers import PART, FloatScorer, PackedScorer
from minifloat.scaling import amax, scale_rows


@dataclass(frozen=True, kw_only=True)
class Converted:
    """Stored embeddings: how to score them, and what storing did to their values.

    `cosine_loss` is the mean over rows of 1 - cos(row, stored row). `overflow` is the share of
    values that would round to infinity if nothing saturated, `underflow` the share that were not
    zero and became zero, in a frame those of what is left of rows. `bytes_per_row` counts codes and
    coordinates.
    """

    scorer: FloatScorer | PackedScorer
    cosine_loss: float
    overflow: float
    underflow: float
    bytes_per_row: int
    total_bytes: int


def convert(embeddings: Embeddings, condition: Condition) -> Converted:
    """Return the embeddings stored in one way."""
    if isinstance(condition.format, torch.dtype):
        return _in_type(embeddings, condition.format)
    return _in_format(embeddings, condition.format, condition)


def stored_rows(embeddings: Embeddings, condition: Condition) -> NDArray[np.float32]:
    """Return the embeddings as they come back from being stored.

    A row with a value that became infinite has no direction left: it comes back as zeros.
    """
    if isinstance(condition.format, torch.dtype):
        stored = torch.from_numpy(embeddings.rows).to(condition.format).float().numpy()
    else:
        stored = packed(embeddings, condition.format, condition).dequantize()
    return np.where(np.isfinite(stored).all(axis=1, keepdims=True), stored, np.float32(0))


def packed(
    embeddings: Embeddings,
    format: mf.Format,
    condition: Condition,
    *,
    others: NDArray[np.float32] | None = None,
) -> mf.PackedVectors:
    """Return the embeddings in a format, prepared as a condition says.

    Others of the same model are returned instead where they are given, in the same frame.
    """
    rows = embeddings.rows if others is None else others
    if condition.prepared == "frame":
        return mf.quantize(rows, format, frame=embeddings.frame)
    if condition.prepared == "feedback":
        return mf.quantize(rows, format, frame=embeddings.frame, rounding="feedback")
    if condition.prepared == "maximum":
        starts = range(0, len(rows), PART)
        blocks = [scaled_by_maximum(rows[start : start + PART], format) for start in starts]
        return mf.PackedVectors.cat([mf.quantize(block, format, scale="none") for block in blocks])
    return mf.quantize(rows, format, scale=condition.prepared, saturate=condition.saturate)


def overflowing_formats(rows: NDArray[np.float32], formats: Sequence[mf.Format]) -> list[mf.Format]:
    """Return the formats with infinity or NaN that some of the values overflow."""
    extremes = np.array([rows.min(), rows.max()], dtype=np.float32)
    return [
        format
        for format in formats
        if format.specials != "none" and overflowing(extremes, format).any()
    ]


def scaled(rows: NDArray[np.float32], format: mf.Format) -> NDArray[np.float32]:
    """Return the rows, each times the factor that takes its largest magnitude to the format's."""
    given = torch.from_numpy(rows)
    return np.asarray(scale_rows(given, amax(given), format.max).numpy())


def scaled_by_maximum(rows: NDArray[np.float32], format: mf.Format) -> NDArray[np.float32]:
    """Return the rows, each times the factor that takes its largest value to the format's.

    A row without a value above 0 is scaled by its largest magnitude.
    """
    given = torch.from_numpy(rows)
    largest = given.amax(1, keepdim=True)
    largest = torch.where(largest > 0, largest, amax(given))
    most = torch.finfo(torch.float32).max
    return np.asarray(scale_rows(given, largest, format.max).clamp(-most, most).numpy())


def differs_by_maximum(rows: NDArray[np.float32]) -> bool:
    """Whether some row has a positive value, and a negative one of a larger magnitude."""
    largest = rows.max(axis=1)
    return bool(((largest > 0) & (-rows.min(axis=1) > largest)).any())


def overflowing(values: NDArray[np.float32], format: mf.Format) -> NDArray[np.bool_]:
    """Which finite values round to infinity where nothing saturates.

    They lie beyond the largest value by more than half a step of its binade. The value exactly
    between rounds to the neighbour with an even code.
    """
    code = int(np.flatnonzero(format.values == format.max)[0])
    step = 2.0 ** (math.floor(math.log2(format.max)) - format.mantissa_bits)
    halfway = np.float32(format.max + step / 2)
    odd = code % 2 == 1
    return np.abs(values) >= halfway if odd else np.abs(values) > halfway


def _in_type(embeddings: Embeddings, dtype: torch.dtype) -> Converted:
    loss, overflow, zeroed = 0.0, 0, 0
    for block in embeddings.blocks():
        rows = torch.from_numpy(embeddings.rows[block])
        stored = rows.to(dtype).float()
        loss += _cosine_loss(rows.numpy(), stored.numpy())
        overflow += int(stored.isinf().sum())
        zeroed += int(((stored == 0) & (rows != 0)).sum())
    bytes_per_row = embeddings.dim * dtype.itemsize
    return Converted(
        scorer=FloatScorer(torch.from_numpy(embeddings.rows), dtype=dtype),
        cosine_loss=loss / len(embeddings),
        overflow=overflow / embeddings.rows.size,
        underflow=zeroed / embeddings.rows.size,
        bytes_per_row=bytes_per_row,
        total_bytes=bytes_per_row * len(embeddings),
    )


def _in_format(embeddings: Embeddings, format: mf.Format, condition: Condition) -> Converted:
    vectors = packed(embeddings, format, condition)
    loss, overflow, zeroed = 0.0, 0, 0
    for block in embeddings.blocks():
        rows = embeddings.rows[block]
        stored = vectors[block].dequantize()
        loss += _cosine_loss(rows, stored)
        # Rows that are scaled by their magnitude reach the format's largest, and none goes beyond.
        if condition.prepared == "none":
            overflow += int(overflowing(rows, format).sum())
        if condition.prepared == "maximum":
            overflow += int(overflowing(scaled_by_maximum(rows, format), format).sum())
        if vectors.frame is not None:
            rows, stored = _rests(rows, vectors[block])
        zeroed += int(((stored == 0) & (rows != 0)).sum())
    return Converted(
        scorer=PackedScorer(vectors),
        cosine_loss=loss / len(embeddings),
        overflow=overflow / embeddings.rows.size,
        underflow=zeroed / embeddings.rows.size,
        bytes_per_row=vectors.nbytes // len(vectors) - vectors.reciprocal_norms.itemsize,
        total_bytes=vectors.nbytes,
    )


def _rests(
    rows: NDArray[np.float32], vectors: mf.PackedVectors
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what is left of rows in their frame, before it is rounded and after it, unscaled."""
    assert vectors.frame is not None
    rests = vectors.frame.project(torch.from_numpy(rows))[0].numpy()
    codes = mf.unpack(vectors.codes, vectors.format, vectors.dim)
    return rests, np.asarray(mf.decode(codes, vectors.format))


def _cosine_loss(rows: NDArray[np.float32], stored: NDArray[np.float32]) -> float:
    """Return the sum over rows of 1 - cos(row, stored row).

    The cosine of a zero row is 0, and so is that of a row with a value that became infinite.
    """
    stored = np.where(np.isfinite(stored).all(axis=1, keepdims=True), stored, 0)
    dot = np.einsum("ij,ij->i", rows, stored, dtype=np.float64)
    norms = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    norms *= np.einsum("ij,ij->i", stored, stored, dtype=np.float64)
    cosine = np.divide(dot, np.sqrt(norms), out=np.zeros_like(dot), where=norms > 0)
    return float((1 - cosine).sum())
