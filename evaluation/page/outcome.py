"""The folder that a study fills: rows while it runs, then figures, the page and all rows."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.files.writing import make_folder, write_whole
from evaluation.page.figure import Figure
from evaluation.page.rows_csv import csv_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

UNFINISHED = "metrics-unfinished.csv"


class Outcome:
    """What a study writes; until it is finished its rows are in UNFINISHED.

    So an interruption loses none of them, and leaves what a former run of the study has finished.
    Without a folder nothing is written: another rank does.
    """

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            make_folder(folder)
        self._folder = folder
        self._rows: list[DataclassInstance] = []
        self._figures = 0

    def keep(self, row: "DataclassInstance") -> None:
        """Write a row, behind those that were kept before."""
        self._rows.append(row)
        if self._folder is not None:
            write_whole(self._folder / UNFINISHED, csv_text(self._rows))

    def draw(self, figures: Iterable[Figure]) -> None:
        """Write figures, a file each."""
        if self._folder is None:
            return
        for figure in figures:
            write_whole(self._folder / f"{figure.slug}.svg", figure.svg)
            self._figures += 1

    def finish(self, page: str) -> None:
        """Write the page and metrics.csv, and say what was written."""
        if self._folder is None:
            return
        write_whole(self._folder / "report.html", page)
        write_whole(self._folder / "metrics.csv", csv_text(self._rows))
        (self._folder / UNFINISHED).unlink()
        print(f"wrote metrics.csv, {self._figures} figures and report.html to {self._folder}")
