"""Kaldi archives of vectors: .ark files, or .scp lists of places in them, and utt2spk.

A list's command is not run.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.kaldi_vectors import read_vector
from evaluation.limits import open_gz, refuse_bomb

# Each may be compressed, with .gz after it.
KALDI = (".ark", ".scp")
_GZ = ".gz"

# No utterance has a longer one.
_LONGEST_NAME = 4096

_PLACE = re.compile(r"(?P<path>[^\0]*?)(?::(?P<offset>[0-9]{1,18}))?(?P<range>\[[0-9:,]{0,40}\])?")


def is_kaldi(path: Path) -> bool:
    """Return whether a file's name is that of an archive or of a list."""
    return _kind(path) in KALDI


def read_kaldi(path: Path, utt2spk: Path | None = None) -> dict[str, NDArray[np.generic]]:
    """Return the arrays embeddings, speaker and utterance of an archive, in its order.

    utt2spk, lines of `utterance speaker`, lies in the same folder if none is given. An entry of a
    list that is a command, which Kaldi would run, is refused.
    """
    if utt2spk is None:
        utt2spk = path.with_name("utt2spk")
        if not utt2spk.exists():
            raise InputError(f"{utt2spk}: no such file; --utt2spk names one elsewhere")
    speakers = dict(_pairs(utt2spk))
    names: list[str] = []
    rows: list[NDArray[np.floating]] = []
    for name, row in _vectors(path):
        if name not in speakers:
            raise InputError(f"{utt2spk}: no speaker for utterance '{name}'")
        if rows and len(row) != len(rows[0]):
            raise InputError(
                f"{path}: must hold vectors of one length; got {len(row)} for utterance '{name}' "
                f"and {len(rows[0])} for '{names[0]}'"
            )
        names.append(name)
        rows.append(row)
    return {
        "embeddings": np.array(rows),
        "speaker": np.array([speakers[name] for name in names]),
        "utterance": np.array(names),
    }


def _vectors(path: Path) -> Iterator[tuple[str, NDArray[np.floating]]]:
    archive = path
    try:
        if _kind(path) == ".ark":
            with _opened(path) as file:
                while name := _name(file, path):
                    yield name, read_vector(file, f"{path}: utterance '{name}'")
            return
        with ExitStack() as files:
            opened: tuple[Path, IO[bytes]] | None = None
            # Lines may all name one vector: what they give is held to the sizes of the archives.
            sizes, taken = {path: path.stat().st_size}, 0
            for name, place in _pairs(path):
                archive, offset, chosen = _place(path, place)
                if opened is None or opened[0] != archive:
                    files.close()
                    opened = archive, files.enter_context(_opened(archive))
                    sizes[archive] = archive.stat().st_size
                opened[1].seek(offset)
                where = f"{path}: utterance '{name}', at {offset} in {archive},"
                vector = read_vector(opened[1], where, chosen)
                taken += vector.nbytes
                refuse_bomb(path, packed=sum(sizes.values()), unpacked=taken)
                yield name, vector
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or archive}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{archive}: not a readable Kaldi archive ({error})") from error


def _kind(path: Path) -> str:
    return (path.with_suffix("") if path.suffix == _GZ else path).suffix


def _opened(path: Path) -> IO[bytes]:
    # To open a pipe is to wait for who writes to it, and a device has no end.
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: must be a file; it is a folder, pipe or device")
    return open_gz(path) if path.suffix == _GZ else path.open("rb")


def _place(listed: Path, place: str) -> tuple[Path, int, str]:
    """Return the file of a place, the byte at which its entry begins, and which part of it."""
    if place.startswith("|") or place.endswith("|"):
        raise InputError(f"{listed}: must list places in files; got the command '{place}'")
    if place == "-":
        raise InputError(f"{listed}: must list places in files; got '-', the standard input")
    found = _PLACE.fullmatch(place)
    if found is None:
        raise InputError(f"{listed}: must list places as file:offset; got '{place}'")
    path = Path(found["path"])
    # Kaldi takes paths from where it runs; archives that were moved lie beside their list.
    beside = listed.parent / path
    return beside if beside.exists() else path, int(found["offset"] or 0), found["range"] or ""


def _name(file: IO[bytes], path: Path) -> str:
    """Return the name of the next entry of an archive, and read on to what follows it."""
    name = b""
    while (byte := file.read(1)) and len(name) <= _LONGEST_NAME:
        if not byte.isspace():
            name += byte
        elif name:
            break
    if not name:
        return ""
    if not byte or not byte.isspace():
        raise InputError(f"{path}: not a Kaldi archive, or cut off: {name[:20]!r} is no name")
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a Kaldi archive: {name[:20]!r} is no name") from None


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with _opened(path) as file:
            for number, raw in enumerate(file, start=1):
                line = raw.decode()
                words = line.split(maxsplit=1)
                if len(words) != 2:
                    line = line.rstrip("\n")
                    raise InputError(f"{path}, line {number}: must be two words; got '{line}'")
                yield words[0], words[1].strip()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a readable list ({error})") from error
