"""Kaldi archives of vectors: .ark files, or .scp lists of places in them, and utt2spk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError

KALDI = (".ark", ".scp")
INSTALL = 'pip install "minifloat[kaldi]"'


def read_kaldi(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the arrays embeddings, speaker and utterance of an archive, in its order.

    utt2spk, lines of `utterance speaker`, lies in the same folder. An entry of a list that is a
    command, which Kaldi would run, is refused.
    """
    try:
        import kaldiio  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(f"{path}: needs kaldiio, which is not installed; {INSTALL}") from error
    speakers = dict(_pairs(path.with_name("utt2spk")))
    names: list[str] = []
    rows: list[NDArray[np.generic]] = []
    for name, row in _vectors(path):
        if name not in speakers:
            raise InputError(f"{path.with_name('utt2spk')}: no speaker for utterance '{name}'")
        if np.ndim(row) != 1 or (rows and len(row) != len(rows[0])):
            raise InputError(
                f"{path}: must hold vectors of one length; "
                f"got shape {np.shape(row)} for utterance '{name}'"
            )
        names.append(name)
        rows.append(row)
    return {
        "embeddings": np.array(rows),
        "speaker": np.array([speakers[name] for name in names]),
        "utterance": np.array(names),
    }


def _vectors(path: Path) -> Iterator[tuple[str, NDArray[np.generic]]]:
    import kaldiio

    try:
        if path.suffix == ".ark":
            with path.open("rb") as file:
                yield from kaldiio.load_ark(file)
            return
        for name, place in _pairs(path):
            if place.startswith("|") or place.endswith("|"):
                raise InputError(f"{path}: must list places in files; got the command '{place}'")
            # Kaldi takes paths from where it runs; archives that were moved lie beside their list.
            beside = path.parent / (place.rpartition(":")[0] or place)
            yield name, kaldiio.load_mat(str(path.parent / place) if beside.exists() else place)
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or path}: no such file") from None
    except InputError:
        raise
    # What is no archive fails in whatever way its bytes lead to.
    except Exception as error:
        raise InputError(f"{path}: not a readable Kaldi archive ({error})") from error


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a readable list ({error})") from error
    for number, line in enumerate(lines, start=1):
        words = line.split(maxsplit=1)
        if len(words) != 2:
            raise InputError(f"{path}, line {number}: must be two words; got '{line}'")
        yield words[0], words[1].strip()
