"""Trial lists, their names matched with the rows of embeddings."""

from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.data import UTTERANCE, Embeddings
from evaluation.errors import InputError
from evaluation.extraction.audio import EXTENSIONS
from evaluation.trial_lines import read_trials
from evaluation.trials import TrialList
from evaluation.voxceleb import list_names

# Stands in the index for a name that several rows share, and for one that no row has.
SHARED, ABSENT = -1, -2
SHOWN = 3


def load_trial_list(path: Path, embeddings: Embeddings) -> TrialList:
    """Return the trials of a list, its names matched with the rows of `embeddings`.

    A name is an utterance, or `speaker/utterance`, with or without the extension of an audio
    file. A label that contradicts the speakers of its rows is an error.
    """
    if embeddings.utterance is None:
        raise InputError(
            f"{path}: names rows by their utterance, which {embeddings.name} does not have: its "
            f".npz must hold an array '{UTTERANCE}' of {len(embeddings)} names"
        )
    index = _index(embeddings, embeddings.utterance)
    # Numbers, not names: a list of a million lines takes 17 MB.
    labels, places = array("b"), array("q")
    rows: dict[str, int] = {}
    for label, *names in read_trials(path):
        labels.append(label)
        for name in names:
            row = rows.get(name)
            if row is None:
                row = rows[name] = index.get(_key(name), ABSENT)
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
        description=f"the trials of {path.name}{list_names(len(truth))}",
    )


def _key(name: str) -> str:
    path = name.replace("\\", "/").removeprefix("./")
    stem, dot, extension = path.rpartition(".")
    return stem if dot and dot + extension.lower() in EXTENSIONS else path


def _index(embeddings: Embeddings, utterance: list[str]) -> dict[str, int]:
    index: dict[str, int] = {}
    for row, (code, name) in enumerate(zip(embeddings.speaker, utterance, strict=True)):
        key = _key(name)
        for known in (key, f"{embeddings.speaker_names[code]}/{key}"):
            index[known] = SHARED if index.get(known, row) != row else row
    return index


def _refuse_unmatched(
    path: Path, embeddings: Embeddings, utterance: list[str], rows: dict[str, int]
) -> None:
    for failed, meaning in ((ABSENT, "are in no row of"), (SHARED, "are in several rows of")):
        names = [name for name, row in rows.items() if row == failed]
        if names:
            shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            raise InputError(
                f"{path}: {len(names)} of {len(rows)} names {meaning} {embeddings.name}: {shown}; "
                f"names are utterances ('{utterance[0]}') or speaker/utterance "
                f"('{embeddings.speaker_names[0]}/{utterance[0]}')"
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
