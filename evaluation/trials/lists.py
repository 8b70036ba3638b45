"""Trial lists, their names matched with the rows of embeddings."""

from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.command.sharing import ALONE, Sharing
from evaluation.embeddings.embeddings import Embeddings
from evaluation.embeddings.npz import UTTERANCE
from evaluation.recordings.audio import EXTENSIONS
from evaluation.trials.lines import read_trials
from evaluation.trials.pairs import TrialList
from evaluation.trials.voxceleb import voxceleb_list

# What parts a speaker and an utterance in names that are no paths, such as Kaldi's.
MARKS = ("-", "_")
# Stands in the index for a name that several rows share, and for one that no row has.
SHARED, ABSENT = -1, -2
SHOWN = 3


def load_trial_list(path: Path, embeddings: Embeddings, *, sharing: Sharing = ALONE) -> TrialList:
    """Return the trials of a list, its names matched with the rows of `embeddings`.

    A name is an utterance, or `speaker/utterance`, with or without the extension of an audio
    file. One that is in no row may have `-` or `_` where rows have `/`, or the reverse. A label
    that contradicts the speakers of its rows is an error.
    """
    if embeddings.utterance is None:
        raise InputError(
            f"{path}: names rows by their utterance, which {embeddings.name} does not have: its "
            f".npz must hold an array '{UTTERANCE}' of {len(embeddings)} names"
        )
    _refuse_doubles(path, embeddings, embeddings.utterance)
    index = _Index(embeddings, embeddings.utterance)
    # Numbers, not names: a list of a million lines takes 17 MB.
    labels, places = array("b"), array("q")
    rows: dict[str, int] = {}
    for label, *names in read_trials(path):
        labels.append(label)
        for name in names:
            row = rows.get(name)
            if row is None:
                row = rows[name] = index.row(_key(name))
            places.append(row)
    if not labels:
        raise InputError(f"{path}: must hold at least one trial; got none")
    _refuse_unmatched(path, embeddings, embeddings.utterance, rows)
    pairs = np.frombuffer(places, np.int64).reshape(-1, 2)
    truth = np.frombuffer(labels, np.int8).astype(np.bool_)
    _refuse_contradictions(path, embeddings, embeddings.utterance, pairs, truth)
    return TrialList(
        embeddings,
        pairs=pairs,
        labels=truth,
        description=f"the trials of {path.name}{_list_name(len(truth))}",
        sharing=sharing,
    )


def _list_name(pairs: int) -> str:
    found = voxceleb_list(pairs)
    return f" ({found.name}; {found.in_table_1} in the paper's table 1)" if found else ""


def _key(name: str) -> str:
    path = name.replace("\\", "/").removeprefix("./")
    stem, dot, extension = path.rpartition(".")
    return stem if dot and dot + extension.lower() in EXTENSIONS else path


class _Index:
    """Rows by all that a list may call them."""

    def __init__(self, embeddings: Embeddings, utterance: list[str]) -> None:
        self._embeddings, self._utterance = embeddings, utterance
        self._rows = _by_name(self._names())

    def row(self, key: str) -> int:
        """Return the row of a name; SHARED if there are several, ABSENT if there is none."""
        found = self._rows.get(key)
        if found is not None:
            return found
        joined = (self._joined.get(key.replace("/", mark)) for mark in MARKS)
        rows = {row for row in joined if row is not None}
        return rows.pop() if len(rows) == 1 else SHARED if rows else ABSENT

    @cached_property
    def _joined(self) -> dict[str, int]:
        return _by_name(
            (name.replace("/", mark), row) for name, row in self._names() for mark in MARKS
        )

    def _names(self) -> Iterator[tuple[str, int]]:
        speakers = self._embeddings.speaker_names
        for row, (code, name) in enumerate(
            zip(self._embeddings.speaker, self._utterance, strict=True)
        ):
            key = _key(name)
            yield key, row
            yield f"{speakers[code]}/{key}", row


def _by_name(names: Iterable[tuple[str, int]]) -> dict[str, int]:
    index: dict[str, int] = {}
    for name, row in names:
        index[name] = SHARED if index.get(name, row) != row else row
    return index


def _refuse_doubles(path: Path, embeddings: Embeddings, utterance: list[str]) -> None:
    """Raise InputError for two rows of one speaker and utterance: a name would be of either."""
    seen: dict[tuple[int, str], int] = {}
    for row, key in enumerate(zip(embeddings.speaker.tolist(), utterance, strict=True)):
        first = seen.setdefault(key, row)
        if first != row:
            rows = embeddings.file_row
            first, second = (first, row) if rows is None else (rows[first], rows[row])
            raise InputError(
                f"{path}: names rows by speaker and utterance, which must be of one row of "
                f"{embeddings.name}; rows {first} and {second} are both "
                f"{embeddings.speaker_names[key[0]]}/{key[1]}"
            )


def _refuse_unmatched(
    path: Path, embeddings: Embeddings, utterance: list[str], rows: dict[str, int]
) -> None:
    for failed, meaning in ((ABSENT, "are in no row of"), (SHARED, "are in several rows of")):
        names = [name for name, row in rows.items() if row == failed]
        if names:
            shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            speaker, own = embeddings.speaker_names[0], utterance[0]
            bare = own.removeprefix(speaker).lstrip("-_/") or own
            raise InputError(
                f"{path}: {len(names)} of {len(rows)} names {meaning} {embeddings.name}: {shown}; "
                f"names are utterances ('{own}') or speaker/utterance ('{speaker}/{bare}')"
            )


def _refuse_contradictions(
    path: Path,
    embeddings: Embeddings,
    utterance: list[str],
    pairs: NDArray[np.int64],
    labels: NDArray[np.bool_],
) -> None:
    same = embeddings.speaker[pairs[:, 0]] == embeddings.speaker[pairs[:, 1]]
    wrong = np.flatnonzero(same != labels)
    if len(wrong):
        first, second = pairs[wrong[0]]
        raise InputError(
            f"{path}: a label must be 1 exactly where the speakers of {embeddings.name} are the "
            f"same; {len(wrong)} of {len(labels)} are not, first {int(labels[wrong[0]])} for "
            f"'{utterance[first]}' and '{utterance[second]}'"
        )
