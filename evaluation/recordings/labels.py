"""Labels of recordings, speaker and utterance: each recording has both."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError

# What NumPy and pandas write, as texts, for a label that is not there.
MISSING = frozenset(("", "nan", "NaN", "None", "NaT", "<NA>"))
SHOWN = 3


def is_missing(label: str) -> bool:
    """Return whether a label stands for none."""
    return label.strip() in MISSING


def texts_of(path: Path, name: str, labels: NDArray[np.generic]) -> list[str]:
    """Return the labels (rows,) of an array as texts; InputError if one is missing or no text."""
    found = (
        _decoded(path, name, labels)
        if labels.dtype.kind == "S"
        else _characters(path, name, labels)
    )
    # A list that was read without a look at its byte order mark has it in its first label.
    texts = [text.removeprefix("\ufeff") for text in found]
    missing = [row for row, text in enumerate(texts) if is_missing(text)]
    if missing:
        shown = ", ".join(f"{row} ('{texts[row]}')" for row in missing[:SHOWN])
        more = ", ..." if len(missing) > SHOWN else ""
        raise InputError(
            f"{path}: {name} must have a label for every row; {len(missing)} of {len(texts)} rows "
            f"have none: {shown}{more}"
        )
    return texts


def _decoded(path: Path, name: str, labels: NDArray[np.generic]) -> list[str]:
    texts = []
    for row, label in enumerate(labels.tolist()):
        try:
            texts.append(label.decode())
        except UnicodeDecodeError:
            raise InputError(f"{path}: {name} must be UTF-8; row {row} is {label!r}") from None
    return texts


def _characters(path: Path, name: str, labels: NDArray[np.generic]) -> list[str]:
    array = labels.astype(str)
    # NumPy takes any number for a character.
    points = np.frombuffer(array.tobytes(), np.uint32).reshape(len(array), -1)
    row, place = np.nonzero((points > sys.maxunicode) | (points >> 11 == 0xD800 >> 11))
    if len(row):
        raise InputError(
            f"{path}: {name} must be text; row {row[0]} holds the character "
            f"{points[row[0], place[0]]:#x}"
        )
    texts: list[str] = array.tolist()
    return texts
