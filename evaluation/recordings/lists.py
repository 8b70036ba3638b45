"""Recordings that a file lists."""

import csv
from collections.abc import Hashable
from pathlib import Path, PurePosixPath

from evaluation.command.errors import InputError
from evaluation.files.reading import reading, refuse_second, text_of
from evaluation.files.study_json import study_items
from evaluation.recordings.found import FoundRecordings, Met

COLUMNS = ("speaker", "path")


def in_list(path: Path) -> FoundRecordings:
    """Return the recordings that a CSV file lists."""
    met = Met()
    places: dict[Hashable, int] = {}
    with text_of(path) as file, reading(path, "CSV file", csv.Error, ValueError):
        rows = csv.DictReader(file)
        columns = [*(rows.fieldnames or [])]
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise InputError(
                f"{path}: must have the columns {' and '.join(COLUMNS)}; "
                f"{' and '.join(missing)} missing, found {', '.join(columns)}"
            )
        heads: dict[Hashable, int] = {}
        for number, name in enumerate(columns, start=1):
            refuse_second(heads, name, path, f"column '{name}'", unit="column", number=number)
        for row in rows:
            speaker, name = row["speaker"] or "", row["path"] or ""
            if not (speaker.strip() and name.strip()):
                raise InputError(
                    f"{path}, line {rows.line_num}: speaker and path must not be empty"
                )
            place = PurePosixPath(name)
            refuse_second(places, place, path, f"path '{name}'", unit="line", number=rows.line_num)
            met.add(
                speaker=speaker,
                utterance=row.get("utterance") or _utterance(place, speaker),
                name=name,
                path=path.parent / name,
            )
    return met.found()


def in_study_json(path: Path) -> FoundRecordings:
    """Return the recordings that a file of the published separation study lists."""
    met = Met()
    for item in study_items(path):
        met.add(
            speaker=item.speaker,
            utterance=_utterance(PurePosixPath(item.audio), item.speaker),
            name=item.audio,
            path=path.parent / item.audio,
        )
    return met.found()


def _utterance(path: PurePosixPath, speaker: str) -> str:
    return str(path.with_suffix("")).removeprefix(f"{speaker}/")
