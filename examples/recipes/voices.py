"""Enrolled speakers in few bits: enrol, verify, identify, assign to diarized speech, erase.

It takes vectors of any model: `with_speechbrain.py`, `with_nemo.py`, `with_pyannote.py` and
`with_wespeaker.py` make them. A speaker is one row, the mean of the recordings at length 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

import minifloat as mf

Vectors = NDArray[np.floating[Any]]


class Voices:
    """Speakers by name, in a folder or in memory; one person scores the threshold or more."""

    def __init__(self, index: mf.Index, threshold: float) -> None:
        self.index = index
        self.threshold = threshold

    @classmethod
    def create(
        cls,
        dim: int,
        threshold: float,
        path: str | None = None,
        *,
        format: str = "e2m1",
        frame: mf.Frame | None = None,
    ) -> "Voices":
        """Return nobody yet. Take a frame, fitted on vectors, where the model has an offset."""
        index = mf.Index.create(path, dim, format, frame=frame, estimator="unbiased")
        return cls(index, threshold)

    def enrol(self, speaker: str, vectors: ArrayLike) -> None:
        """Keep a speaker's recordings, (recordings, dim), as one row; replaces an earlier one."""
        self.index.upsert([speaker], mean(vectors)[None])
        self.index.commit()

    def verify(self, speaker: str, vectors: ArrayLike) -> NDArray[np.bool_]:
        """Return whether each recording, (recordings, dim), is of a speaker who is enrolled."""
        rows = self.index.get([speaker]).vectors
        return np.asarray(mf.scores(np.asarray(vectors), rows))[:, 0] >= self.threshold

    def identify(self, vectors: ArrayLike) -> list[str | None]:
        """Return the speaker of each recording, None for one whom nobody knows."""
        scores, names = self.index.search(np.asarray(vectors), 1)
        return [
            name if score >= self.threshold else None
            for name, score in zip(names[:, 0], scores[:, 0], strict=True)
        ]

    def assign(self, labels: Sequence[str], vectors: ArrayLike) -> dict[str, str | None]:
        """Return who the speakers of one diarized recording are, by its labels.

        vectors: (labels, dim), one of each label. A label whose vector holds NaN, as one of too
        little speech may, stays unknown. No two labels get one speaker: of all ways to share out
        the speakers the one with the largest sum of scores is taken.
        """
        x = np.asarray(vectors)
        x = np.where(np.isnan(x).any(1, keepdims=True), 0, x)
        found = self.index.range_search(x, self.threshold)
        names = sorted({*found.ids})
        scores = np.full((len(labels), len(names)), -1.0)
        for i in range(len(labels)):
            part = slice(*found.offsets[i : i + 2])
            scores[i, [names.index(name) for name in found.ids[part]]] = found.scores[part]
        named: dict[str, str | None] = dict.fromkeys(labels)
        # A label that stays unknown must cost nothing, or two weak pairs outbid a strong one.
        pairs = linear_sum_assignment(scores.clip(0), maximize=True)
        for i, j in zip(*pairs, strict=True):
            if scores[i, j] >= self.threshold:
                named[labels[i]] = names[j]
        return named

    def erase(self, speaker: str) -> None:
        """Leave no byte of a speaker in any file."""
        self.index.purge([speaker])


def mean(vectors: ArrayLike) -> Vectors:
    """Return the mean of recordings, (recordings, dim) or one (dim,), each at length 1."""
    x = np.atleast_2d(np.asarray(vectors))
    found: Vectors = (x / np.linalg.norm(x, axis=1, keepdims=True)).mean(0)
    return found


def threshold_at(
    far: float,
    enrolled: ArrayLike,
    tried: ArrayLike,
    *,
    format: str = "e2m1",
    frame: mf.Frame | None = None,
) -> float:
    """Return the threshold that accepts a share of impostors, of speakers of your own.

    enrolled: (speakers, recordings, dim). tried: other recordings of the same speakers, likewise.
    Take speakers who are not enrolled later, and the format and the frame of those who are.
    """
    x, y = np.asarray(enrolled), np.asarray(tried)
    means = np.stack([mean(one) for one in x])
    rows = mf.quantize(means, format, frame=frame, estimator="unbiased")
    scores = np.asarray(mf.scores(y.reshape(-1, y.shape[2]), rows))
    is_impostor = np.arange(len(x)) != np.repeat(np.arange(len(x)), y.shape[1])[:, None]
    return float(np.quantile(scores[is_impostor], 1 - far))
