"""The list of recordings that gave no row."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from evaluation.command.errors import message_text
from evaluation.files.formulas import guarded, unguarded
from evaluation.files.reading import reading, text_of
from evaluation.files.writing import write_whole
from evaluation.recordings.found import Skipped

COLUMNS = ("path", "reason")
SHOWN = 5


def skipped_path(out: Path) -> Path:
    """Return where the list of an output file lies."""
    return out.with_name(f"{out.stem}-skipped.csv")


def read_skipped(out: Path) -> list[Skipped]:
    """Return what the list of an output file holds; nothing where there is none."""
    path = skipped_path(out)
    if not path.exists():
        return []
    with text_of(path) as file, reading(path, "CSV file", csv.Error, KeyError, AttributeError):
        return [
            Skipped(name=unguarded(line["path"]), reason=unguarded(line["reason"]))
            for line in csv.DictReader(file)
        ]


def report_skipped(out: Path, skipped: Sequence[Skipped]) -> None:
    """Write the list, in the order of its paths, and tell of it.

    Where nothing was skipped, that of a former run is removed.
    """
    path = skipped_path(out)
    if not skipped:
        path.unlink(missing_ok=True)
        return
    ordered = sorted(skipped, key=lambda one: (one.name, one.reason))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((guarded(one.name), guarded(one.reason)) for one in ordered)
    write_whole(path, text.getvalue())
    print(f"skipped {len(ordered)}, listed in {path.name}:")
    for one in ordered[:SHOWN]:
        print(message_text(f"  {one.name} {one.reason}"))
    if len(ordered) > SHOWN:
        print(f"  and {len(ordered) - SHOWN} more")
