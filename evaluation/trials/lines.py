"""The forms of trial lists: VoxCeleb's, Kaldi's and CSV, each line as a label and two names."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from evaluation.command.errors import InputError
from evaluation.files.reading import GZ, reading, text_of

LABELS = {"0": False, "1": True, "nontarget": False, "target": True}
LABEL_COLUMN = "label"

# A line's label and names, or None where it has no such form.
Trial = tuple[bool, str, str]
Form = Callable[[list[str]], Trial | None]


def read_trials(path: Path) -> Iterator[Trial]:
    """Yield the trials of a list in its order; .gz is unpacked.

    Lines are `label path path` (VoxCeleb), or `name name target` and `name name nontarget`
    (Kaldi). A .csv file has a header, in which `label` is the label (0, 1, target or nontarget)
    and the two other columns are the names. The first line decides the form of all.
    """
    with text_of(path) as lines, reading(path, "trial list", csv.Error):
        # A bar appears only when the list takes longer than a second.
        shown = tqdm(lines, desc=path.name, unit=" lines", leave=False, disable=None, delay=1)
        is_csv = path.name.removesuffix(GZ).endswith(".csv")
        yield from (_csv_trials if is_csv else _line_trials)(path, shown)


def _line_trials(path: Path, lines: TextIO) -> Iterator[Trial]:
    form: Form | None = None
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        form = form or (_kaldi if _kaldi(words) else _voxceleb)
        trial = form(words)
        if trial is None:
            raise InputError(f"{path}, line {number}: must be {MEANT[form]}; got '{line.strip()}'")
        yield trial


def _voxceleb(words: list[str]) -> Trial | None:
    if len(words) != 3 or words[0] not in ("0", "1"):
        return None
    return LABELS[words[0]], words[1], words[2]


def _kaldi(words: list[str]) -> Trial | None:
    if len(words) != 3 or words[2] not in ("target", "nontarget"):
        return None
    return LABELS[words[2]], words[0], words[1]


MEANT: dict[Form, str] = {
    _voxceleb: "'label path path' with a label of 0 or 1",
    _kaldi: "'name name label' with a label of target or nontarget",
}


def _csv_trials(path: Path, lines: TextIO) -> Iterator[Trial]:
    rows = csv.reader(lines)
    header = [name.strip().lower() for name in next(rows, [])]
    if len(header) != 3 or header.count(LABEL_COLUMN) != 1:
        raise InputError(
            f"{path}: must have three columns, one of them '{LABEL_COLUMN}'; "
            f"got {', '.join(header) or 'none'}"
        )
    place = header.index(LABEL_COLUMN)
    for words in rows:
        if not words:
            continue
        names = [word.strip() for word in words]
        label = names.pop(place).lower() if len(words) == 3 else ""
        if label not in LABELS or not all(names):
            raise InputError(
                f"{path}, line {rows.line_num}: must be two names and a label of "
                f"{', '.join(LABELS)}; got '{','.join(words)}'"
            )
        yield LABELS[label], names[0], names[1]
