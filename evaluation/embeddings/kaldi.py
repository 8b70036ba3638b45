"""Kaldi archives of vectors: .ark files, or .scp lists of places in them, and utt2spk.

A list's command is not run.
"""

import codecs
import os
import re
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.embeddings.kaldi_vectors import read_vector
from evaluation.files.limits import refuse_bomb
from evaluation.files.reading import GZ, reading, refuse_second, text_of, unpacked

# Each may be compressed, with .gz after it.
KALDI = (".ark", ".scp")

# No utterance has a longer one.
_LONGEST_NAME = 4096

_PLACE = re.compile(r"(?P<path>[^\0]*?)(?::(?P<offset>[0-9]{1,18}))?(?P<range>\[[0-9:,]{0,40}\])?")


def is_kaldi(path: Path) -> bool:
    """Return whether a file's name is that of an archive or of a list."""
    return _kind(path) in KALDI


def refuse_idle_speakers(utt2spk: Path | None, paths: Sequence[Path]) -> None:
    """Raise InputError for speakers that no file asks for."""
    if utt2spk is not None and not any(map(is_kaldi, paths)):
        raise InputError(
            f"--utt2spk tells the speakers of .ark and .scp files; got {utt2spk} and "
            f"{', '.join(map(str, paths))}, which has its own"
        )


def read_kaldi(path: Path, utt2spk: Path | None = None) -> dict[str, NDArray[np.generic]]:
    """Return the arrays embeddings, speaker and utterance of an archive, in its order.

    utt2spk, lines of `utterance speaker`, lies in the same folder if none is given. An entry of a
    list that is a command, which Kaldi would run, is refused.
    """
    if utt2spk is None:
        utt2spk = path.with_name("utt2spk")
        if not os.path.exists(utt2spk):
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
    if not rows:
        raise InputError(f"{path}: must hold at least one vector; got none")
    return {
        "embeddings": np.array(rows),
        "speaker": np.array([speakers[name] for name in names]),
        "utterance": np.array(names),
    }


def _vectors(path: Path) -> Iterator[tuple[str, NDArray[np.floating]]]:
    if _kind(path) == ".ark":
        yield from _entries(path)
        return
    with ExitStack() as files:
        opened: tuple[Path, IO[bytes]] | None = None
        # Lines may all name one vector: what they give is held to the sizes of the archives.
        sizes: dict[Path, int] = {}
        taken = 0
        for name, place in _pairs(path):
            archive, offset, chosen = _place(path, place)
            if opened is None or opened[0] != archive:
                files.close()
                opened = archive, files.enter_context(unpacked(archive))
                sizes |= {one: one.stat().st_size for one in (path, archive)}
            with reading(archive, "Kaldi archive"):
                opened[1].seek(offset)
                where = f"{path}: utterance '{name}', at {offset} in {archive},"
                vector = read_vector(opened[1], where, chosen)
            taken += vector.nbytes
            refuse_bomb(path, packed=sum(sizes.values()), unpacked=taken)
            yield name, vector


def _entries(path: Path) -> Iterator[tuple[str, NDArray[np.floating]]]:
    seen: dict[Hashable, int] = {}
    with unpacked(path) as file, reading(path, "Kaldi archive"):
        if file.peek(3)[:3] == codecs.BOM_UTF8:
            file.read(3)
        while name := _name(file, path):
            refuse_second(
                seen, name, path, f"utterance '{name}'", unit="entry", number=len(seen) + 1
            )
            yield name, read_vector(file, f"{path}: utterance '{name}'")


def _kind(path: Path) -> str:
    return (path.with_suffix("") if path.suffix == GZ else path).suffix


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
    path = beside if os.path.exists(beside) else path
    return path, int(found["offset"] or 0), found["range"] or ""


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
    """Yield the first word of each line, which no other line begins with, and what follows it."""
    seen: dict[Hashable, int] = {}
    with text_of(path) as lines, reading(path, "list"):
        for number, line in enumerate(lines, start=1):
            words = line.strip().split(maxsplit=1)
            if len(words) != 2:
                raise InputError(f"{path}, line {number}: must be two words; got '{line.strip()}'")
            name, rest = words
            refuse_second(seen, name, path, f"utterance '{name}'", unit="line", number=number)
            yield name, rest
