"""Trial lists in VoxCeleb's form: lines of `label path path`."""

import gzip
import zlib
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from evaluation.data import Embeddings
from evaluation.errors import InputError
from evaluation.extraction.audio import EXTENSIONS
from evaluation.trials import TrialList

LABELS = {"0": False, "1": True}
# Stands in the index for a name that several rows share.
SHARED = -1
SHOWN = 3


def load_trial_list(path: Path, embeddings: Embeddings) -> TrialList:
    """Return the trials of a list, its names matched with the rows of `embeddings`.

    A name is an utterance, or `speaker/utterance`, with or without the extension of an audio
    file. A label that contradicts the speakers of its rows is an error.
    """
    labels, names = _read(path)
    index = _index(embeddings)
    different = dict.fromkeys(chain.from_iterable(names))
    rows = {name: index.get(_key(name)) for name in different}
    _refuse_unmatched(path, embeddings, rows)
    pairs = np.array([[rows[name] for name in pair] for pair in names], dtype=np.int64)
    _refuse_contradictions(path, embeddings, pairs, labels)
    return TrialList(
        embeddings, pairs=pairs, labels=labels, description=f"the trials of {path.name}"
    )


def _read(path: Path) -> tuple[NDArray[np.bool_], list[tuple[str, str]]]:
    labels: list[bool] = []
    names: list[tuple[str, str]] = []
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
            # A bar appears only when the list takes longer than a second.
            shown = tqdm(lines, desc=path.name, unit=" lines", leave=False, disable=None, delay=1)
            for number, line in enumerate(shown, start=1):
                words = line.split()
                if not words:
                    continue
                if len(words) != 3 or words[0] not in LABELS:
                    raise InputError(
                        f"{path}, line {number}: must be 'label path path' with a label of "
                        f"{' or '.join(LABELS)}; got '{line.strip()}'"
                    )
                labels.append(LABELS[words[0]])
                names.append((words[1], words[2]))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable trial list ({error})") from error
    if not names:
        raise InputError(f"{path}: must hold at least one trial; got none")
    return np.array(labels), names


def _key(name: str) -> str:
    path = name.replace("\\", "/").removeprefix("./")
    stem, dot, extension = path.rpartition(".")
    return stem if dot and dot + extension.lower() in EXTENSIONS else path


def _index(embeddings: Embeddings) -> dict[str, int]:
    index: dict[str, int] = {}
    for row, (code, utterance) in enumerate(
        zip(embeddings.speaker, embeddings.utterance, strict=True)
    ):
        key = _key(utterance)
        for name in (key, f"{embeddings.speaker_names[code]}/{key}"):
            index[name] = SHARED if index.get(name, row) != row else row
    return index


def _refuse_unmatched(path: Path, embeddings: Embeddings, rows: dict[str, int | None]) -> None:
    for failed, meaning in ((None, "are in no row of"), (SHARED, "are in several rows of")):
        names = [name for name, row in rows.items() if row == failed]
        if names:
            shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            raise InputError(
                f"{path}: {len(names)} of {len(rows)} names {meaning} {embeddings.name}: {shown}; "
                f"names are utterances ('{embeddings.utterance[0]}') or speaker/utterance "
                f"('{embeddings.speaker_names[0]}/{embeddings.utterance[0]}')"
            )


def _refuse_contradictions(
    path: Path,
    embeddings: Embeddings,
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
            f"'{embeddings.utterance[first]}' and '{embeddings.utterance[second]}'"
        )
