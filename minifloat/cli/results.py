"""What commands find: CSV, or a line of JSON each, on stdout or in a file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from minifloat.cli.errors import printable
from minifloat.cli.writing import text


@dataclass(frozen=True)
class Results:
    """A table that is written as it is found, column by column for some lines at a time."""

    file: TextIO
    columns: Sequence[str]
    as_json: bool

    def write(self, *columns: Sequence[Any]) -> None:
        """Write a line for each place of the columns; a score that is NaN is null in JSON."""
        if self.file.isatty():
            columns = tuple(map(_shown, columns))
        lines = zip(*columns, strict=True)
        if not self.as_json:
            csv.writer(self.file, lineterminator="\n").writerows(lines)
            return
        for line in lines:
            named = {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in zip(self.columns, line, strict=True)
            }
            self.file.write(json.dumps(named, ensure_ascii=False, default=str) + "\n")


def _shown(values: Sequence[Any]) -> list[Any]:
    """Return what a terminal shows of values: ids are those of files, whosever they are."""
    return [printable(one) if isinstance(one, str) else one for one in values]


@contextmanager
def results(path: str, columns: Sequence[str], *, as_json: bool) -> Iterator[Results]:
    """Yield what takes lines of results; CSV begins with the names of the columns."""
    with text(path) as file:
        if not as_json:
            csv.writer(file, lineterminator="\n").writerow(columns)
        yield Results(file, columns, as_json)


def shortest(scores: Any) -> list[float]:
    """Return scores, float32, as the numbers of fewest digits that are read as the same."""
    found: NDArray[Any] = np.asarray(scores, np.float32)
    return found.astype(str).astype(np.float64).tolist()  # type: ignore[no-any-return]
