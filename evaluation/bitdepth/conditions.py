"""The conditions compared: a number format, with each row scaled to its range or not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

import minifloat as mf
from evaluation.bitdepth.scorers import FloatScorer, PackedScorer
from evaluation.embeddings.embeddings import Embeddings

Scale = Literal["none", "amax"]
SCALES: dict[Scale, str] = {"none": "as it is", "amax": "scaled"}
# In order: what every condition is compared with comes first.
REFERENCES = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way to store embeddings. A reference is scored by torch, a format by minifloat.

    Without `saturate`, values that are too large become what the format has for them: infinity or
    NaN; the cosine of a row with one is no number, and it is never accepted.
    """

    format: mf.Format | torch.dtype
    scale: Scale = "none"
    saturate: bool = True

    @property
    def name(self) -> str:
        """The format's name: e2m1, float16."""
        return str(self.format).removeprefix("torch.")

    @property
    def bits(self) -> int:
        """Bits of one value."""
        if isinstance(self.format, torch.dtype):
            return self.format.itemsize * 8
        return self.format.bits

    @property
    def label(self) -> str:
        """What readers see: E2M1, E2M1 scaled, E3M4 unsaturated, float16."""
        if isinstance(self.format, torch.dtype):
            return self.name
        scaled = " scaled" if self.scale == "amax" else ""
        return self.name.upper() + scaled + ("" if self.saturate else " unsaturated")

    @property
    def is_float32(self) -> bool:
        """Whether this is what every other condition is compared with."""
        return self.format == torch.float32

    @property
    def is_reference(self) -> bool:
        """Whether this is a type of torch's, not a format of minifloat's."""
        return isinstance(self.format, torch.dtype)

    def convert(self, embeddings: Embeddings) -> "Converted":
        """Return the embeddings stored this way."""
        if isinstance(self.format, torch.dtype):
            return _converted_reference(embeddings, self.format)
        return _converted_format(embeddings, self.format, self)


@dataclass(frozen=True, kw_only=True)
class Converted:
    """Stored embeddings: how to score them, and what storing did to their values.

    `cosine_loss` is the mean over rows of 1 - cos(row, stored row). `overflow` is the share of
    values that would round to infinity if nothing saturated, `underflow` the share that were not
    zero and became zero. `bytes_per_row` counts the codes alone.
    """

    scorer: FloatScorer | PackedScorer
    cosine_loss: float
    overflow: float
    underflow: float
    bytes_per_row: int
    total_bytes: int


def conditions(
    formats: Sequence[mf.Format], *, unsaturated: Sequence[mf.Format] = ()
) -> list[Condition]:
    """Return the references, then each format as it is and scaled, and what is unsaturated."""
    stored = []
    for format in formats:
        stored.append(Condition(format=format))
        if format in unsaturated:
            stored.append(Condition(format=format, saturate=False))
        stored.append(Condition(format=format, scale="amax"))
    return [Condition(format=dtype) for dtype in REFERENCES] + stored


def overflowing_formats(rows: NDArray[np.float32], formats: Sequence[mf.Format]) -> list[mf.Format]:
    """Return the formats with infinity or NaN that some of the values overflow."""
    extremes = np.array([rows.min(), rows.max()], dtype=np.float32)
    return [
        format
        for format in formats
        if format.specials != "none" and overflowing(extremes, format).any()
    ]


def scaled(rows: NDArray[np.float32], format: mf.Format) -> NDArray[np.float32]:
    """Return the rows, each times the factor that takes its largest value to the format's."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    # In float64: the factor of a row of tiny values exceeds float32.
    factor = np.ones(largest.shape)
    np.divide(format.max, largest, out=factor, where=largest > 0, dtype=np.float64)
    return np.asarray(rows * factor, dtype=np.float32)


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


def _converted_reference(embeddings: Embeddings, dtype: torch.dtype) -> Converted:
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


def _converted_format(embeddings: Embeddings, format: mf.Format, condition: Condition) -> Converted:
    vectors = mf.quantize(
        embeddings.rows, format, scale=condition.scale, saturate=condition.saturate
    )
    loss, overflow, zeroed = 0.0, 0, 0
    for block in embeddings.blocks():
        rows = embeddings.rows[block]
        stored = vectors[block].dequantize()
        loss += _cosine_loss(rows, stored)
        given = scaled(rows, format) if condition.scale == "amax" else rows
        overflow += int(overflowing(given, format).sum())
        zeroed += int(((stored == 0) & (rows != 0)).sum())
    return Converted(
        scorer=PackedScorer(vectors),
        cosine_loss=loss / len(embeddings),
        overflow=overflow / embeddings.rows.size,
        underflow=zeroed / embeddings.rows.size,
        bytes_per_row=int(vectors.codes.shape[1]),
        total_bytes=vectors.nbytes,
    )


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
