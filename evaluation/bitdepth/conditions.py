"""The conditions compared: a number format, with each row scaled to its range or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

import minifloat as mf
from evaluation.data import Embeddings
from evaluation.trials import Scorer

Scale = Literal["none", "amax"]
SCALES: dict[Scale, str] = {"none": "as it is", "amax": "scaled"}
# In order: what every condition is compared with comes first.
REFERENCES = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way to store embeddings. A reference is scored by torch, a format by minifloat."""

    format: mf.Format | torch.dtype
    scale: Scale = "none"

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
        """What readers see: E2M1, E2M1 scaled, float16."""
        if isinstance(self.format, torch.dtype):
            return self.name
        return self.name.upper() + (" scaled" if self.scale == "amax" else "")

    @property
    def is_float32(self) -> bool:
        """Whether this is what every other condition is compared with."""
        return self.format == torch.float32

    def convert(self, embeddings: Embeddings) -> "Converted":
        """Return the embeddings stored this way."""
        if isinstance(self.format, torch.dtype):
            return _converted_reference(embeddings, self.format)
        return _converted_format(embeddings, self.format, scale=self.scale)


@dataclass(frozen=True, kw_only=True)
class Converted:
    """Stored embeddings: how to score them, and what storing did to their values.

    `cosine_loss` is the mean over rows of 1 - cos(row, stored row). `overflow` is the share of
    values that would round to infinity if nothing saturated, `underflow` the share that were not
    zero and became zero. `bytes_per_row` counts the codes alone.
    """

    scorer: Scorer
    cosine_loss: float
    overflow: float
    underflow: float
    bytes_per_row: int
    total_bytes: int


def conditions(formats: Sequence[mf.Format]) -> list[Condition]:
    """Return the references, then each format as it is and scaled."""
    stored = [
        Condition(format=format, scale=scale) for format in formats for scale in ("none", "amax")
    ]
    return [Condition(format=dtype) for dtype in REFERENCES] + stored


def scaled(rows: NDArray[np.float32], format: mf.Format) -> NDArray[np.float32]:
    """Return the rows, each times the factor that takes its largest value to the format's."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    # In float64: the factor of a row of tiny values exceeds float32.
    factor = np.ones(largest.shape)
    np.divide(format.max, largest, out=factor, where=largest > 0, dtype=np.float64)
    return np.asarray(rows * factor, dtype=np.float32)


def overflowing(values: NDArray[np.float32], format: mf.Format) -> NDArray[np.bool_]:
    """Which finite values round to infinity where nothing saturates.

    They lie beyond the largest value by more than half the step below it. The value exactly
    between rounds to the neighbour with an even code.
    """
    decoded = format.values
    code = int(np.flatnonzero(decoded == format.max)[0])
    halfway = np.float32(format.max + (format.max - float(decoded[code - 1])) / 2)
    odd = code % 2 == 1
    return np.abs(values) >= halfway if odd else np.abs(values) > halfway


class FloatScorer:
    """Cosines in float32 of rows given in float32."""

    def __init__(self, rows: torch.Tensor) -> None:
        norms = rows.norm(dim=1, keepdim=True, dtype=torch.float64)
        self._unit = torch.where(norms > 0, rows / norms, 0).float()

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the cosines of rows `rows` with rows `columns`, a matrix."""
        return np.asarray((self._unit[rows] @ self._unit[columns].T).numpy())

    def pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of rows pairs[:, 0] with rows pairs[:, 1]."""
        left, right = torch.from_numpy(pairs).T
        return np.asarray((self._unit[left] * self._unit[right]).sum(dim=1).numpy())


class PackedScorer:
    """Cosines straight from packed codes."""

    def __init__(self, vectors: mf.PackedVectors) -> None:
        self._vectors = vectors

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the cosines of rows `rows` with rows `columns`, a matrix."""
        return np.asarray(mf.scores(self._vectors[rows], self._vectors[columns]).numpy())

    def pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of rows pairs[:, 0] with rows pairs[:, 1]."""
        return np.asarray(mf.scores(self._vectors, self._vectors, pairs=pairs).numpy())


def _converted_reference(embeddings: Embeddings, dtype: torch.dtype) -> Converted:
    rows = torch.from_numpy(embeddings.rows)
    stored = rows.to(dtype).float()
    overflow = int(stored.isinf().sum())
    zeroed = int(((stored == 0) & (rows != 0)).sum())
    bytes_per_row = embeddings.dim * dtype.itemsize
    return Converted(
        scorer=FloatScorer(stored),
        cosine_loss=_cosine_loss(embeddings.rows, stored.numpy()) / len(embeddings),
        overflow=overflow / embeddings.rows.size,
        underflow=zeroed / embeddings.rows.size,
        bytes_per_row=bytes_per_row,
        total_bytes=bytes_per_row * len(embeddings),
    )


def _converted_format(embeddings: Embeddings, format: mf.Format, *, scale: Scale) -> Converted:
    vectors = mf.quantize(embeddings.rows, format, scale=scale)
    loss, overflow, zeroed = 0.0, 0, 0
    for block in embeddings.blocks():
        rows = embeddings.rows[block]
        stored = vectors[block].dequantize().numpy()
        loss += _cosine_loss(rows, stored)
        given = scaled(rows, format) if scale == "amax" else rows
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
