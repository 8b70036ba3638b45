"""Embeddings of one model, from a file of any kind."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import minifloat as mf
from evaluation.command.errors import InputError
from evaluation.embeddings.extracted import EXTENSION, read_extracted
from evaluation.embeddings.kaldi import is_kaldi, read_kaldi
from evaluation.embeddings.npz import NEEDED, UTTERANCE, read_npz
from evaluation.embeddings.study_rows import read_study_json
from evaluation.files.study_json import JSON
from evaluation.recordings.labels import texts_of
from minifloat.feedback import LEAST_ROWS, WORTH

# Rows of which a frame is fitted.
_MOST_OF_SAMPLE = 2000


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Rows of one model, grouped by speaker.

    `speaker` counts from 0 and never decreases along the rows; `speaker_names[speaker[i]]` names
    the speaker of row i. `utterance` names rows, for trial lists, where the file does. Row i was
    row `file_row[i]` of the file.
    """

    name: str
    rows: NDArray[np.float32]
    speaker: NDArray[np.int32]
    speaker_names: list[str]
    utterance: list[str] | None
    sha256: str
    file_row: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dim(self) -> int:
        """Values of one row."""
        return int(self.rows.shape[1])

    @cached_property
    def frame(self) -> mf.Frame:
        """The frame of rows that are evenly spaced, with feedback where they are enough for it."""
        sample = self.rows[:: self.sample_step]
        known = sample[sample.any(axis=1)]
        # Zeros are zeros in any frame.
        known = known if len(known) else np.ones((1, self.dim), np.float32)
        return mf.Frame.fit(known, feedback=len(known) >= LEAST_ROWS)

    @property
    def sample_step(self) -> int:
        """Of so many rows one is in the sample that the frame is fitted on."""
        return -(-len(self) // _MOST_OF_SAMPLE)

    @property
    def feeds_back(self) -> bool:
        """Whether feedback pays in that frame."""
        feedback = self.frame.feedback
        return feedback is not None and feedback.gain <= WORTH

    def blocks(self, *, rows: int = 16384) -> Iterator[slice]:
        """Slices that cover all rows in order, each of at most `rows` rows."""
        for start in range(0, len(self), rows):
            yield slice(start, min(start + rows, len(self)))


def at_unit_length(rows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return rows (..., dim) in float64 at length 1, zero rows as they are."""
    wide = rows.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.asarray(np.divide(wide, length, out=wide, where=length > 0))


def load_embeddings(
    path: Path, *, name: str | None = None, utt2spk: Path | None = None
) -> Embeddings:
    """Return the embeddings of a file, grouped by speaker, otherwise in file order.

    They are called by `name`, or else as the file is.
    An .npz file holds `embeddings` (rows, dim) of any float type, `speaker` (rows,) and, if trial
    lists are to name its rows, `utterance` (rows,). A .safetensors file is what `python -m
    evaluation extract` writes, manifest included. An .ark or .scp file is Kaldi's, with speakers in
    `utt2spk`, or else in a file of that name beside it; each may have .gz after it. A .json file is
    what the published separation study's notebooks write, whose `audio` names rows. Rows are taken
    as float32, which is what every format is compared with.
    """
    if path.suffix == EXTENSION:
        arrays = _extracted_arrays(path)
    elif is_kaldi(path):
        arrays = read_kaldi(path, utt2spk)
    elif path.suffix == JSON:
        arrays = read_study_json(path)
    else:
        arrays = read_npz(path)
    embeddings, speaker = (arrays[name] for name in NEEDED)
    utterance = arrays.get(UTTERANCE)
    if embeddings.ndim != 2 or embeddings.dtype.kind != "f" or 0 in embeddings.shape:
        raise InputError(
            f"{path}: embeddings must be floats of shape (rows, dim), neither 0; "
            f"got {embeddings.dtype} of shape {embeddings.shape}"
        )
    for array, labels in (("speaker", speaker), (UTTERANCE, utterance)):
        if labels is not None and labels.shape != embeddings.shape[:1]:
            raise InputError(
                f"{path}: {array} must have one label per row, shape {embeddings.shape[:1]}; "
                f"got shape {labels.shape}"
            )
    speakers = texts_of(path, "speaker", speaker)
    utterances = None if utterance is None else texts_of(path, UTTERANCE, utterance)
    with np.errstate(over="ignore"):
        rows = embeddings.astype(np.float32, copy=False)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        called = "" if utterances is None else f" (utterance '{utterances[bad[0]]}')"
        raise InputError(
            f"{path}: every value must be finite in float32; row {bad[0]}{called} is not, "
            f"{len(bad)} of {len(rows)} rows in all"
        )
    names, codes = np.unique(speakers, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return Embeddings(
        name=path.stem if name is None else name,
        rows=np.ascontiguousarray(rows if (order[1:] > order[:-1]).all() else rows[order]),
        speaker=codes[order].astype(np.int32),
        speaker_names=[str(name) for name in names],
        utterance=None if utterances is None else [utterances[row] for row in order],
        sha256=_digest(path),
        file_row=order,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _extracted_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    found = read_extracted(path)
    return {
        "embeddings": found.rows,
        "speaker": np.array([entry.speaker for entry in found.entries]),
        UTTERANCE: np.array([entry.utterance for entry in found.entries]),
    }
