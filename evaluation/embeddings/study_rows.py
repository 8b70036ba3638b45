"""Embeddings as the published separation study's notebooks leave them, in JSON."""

from collections.abc import Hashable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.files.study_json import DATA, EMBEDDING, study_items


def read_study_json(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the rows (rows, dim), their speakers, and the names of their recordings."""
    rows: list[NDArray[np.float32]] = []
    speakers: list[str] = []
    audio: list[str] = []
    seen: dict[Hashable, str] = {}
    for item in study_items(path):
        row = item.embedding
        if row is None:
            raise InputError(f"{path}: {item.place} must have {EMBEDDING}; it is missing")
        if rows and len(row) != len(rows[0]):
            raise InputError(
                f"{path}: {item.place}.{EMBEDDING} must have {len(rows[0])} values, as that of "
                f"{DATA}[0]; got {len(row)}"
            )
        first = seen.setdefault((item.speaker, item.audio), item.place)
        if first != item.place:
            raise InputError(
                f"{path}: audio '{item.audio}' of '{item.speaker}' must come once; it is in "
                f"{first} and in {item.place}"
            )
        rows.append(row)
        speakers.append(item.speaker)
        audio.append(item.audio)
    if not rows:
        raise InputError(f"{path}: '{DATA}' must have items; it has none")
    return {
        "embeddings": np.stack(rows),
        "speaker": np.array(speakers),
        "utterance": np.array(audio),
    }
