"""Databases that outgrow one machine: what they take, measured and planned.

`python -m benchmarks.scale plan` prints what rows take of machines of a kind; `measure`, `check`
and `lists` find the figures of it, and `page` puts them into `docs/performance/scale.md`.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.scale import check, figures, lists, measure, page, planned, records
from benchmarks.scale.asking import asked_of
from benchmarks.scale.options import parsed


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is asked; end with an error in words for figures that cannot be."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parsed(given)
    try:
        if options.command == "plan":
            print(planned.printed(asked_of(options)))
        elif options.command == "page":
            page.rewrite()
        else:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                _COMMANDS[options.command](options, given, Path(folder))
    except (OSError, ValueError) as error:
        sys.exit(f"scripts/scale: {error}")


def _measure(options: Namespace, given: Sequence[str], folder: Path) -> None:
    o = options
    asked = measure.Asked(o.formats, o.rows, o.dim, o.threads, o.rounds, folder)
    found = measure.measured(asked, lambda line: print(line, file=sys.stderr, flush=True))
    print(measure.printed(records.machine() | found))
    if options.record:
        records.written("measure", found, given)


def _check(options: Namespace, given: Sequence[str], folder: Path) -> None:
    o = options
    known = figures.load(o.figures or figures.RECORD)
    sizes = o.gigabytes * 1e9, o.dim, o.threads, o.rows_a_rank, o.rounds
    found = check.checked(check.Asked(o.format, *sizes, folder))
    print(check.printed(records.machine() | found, known))
    if options.record:
        records.written("check", found, given)


def _lists(options: Namespace, given: Sequence[str], _: Path) -> None:
    torch.set_num_threads(options.threads)
    found = {"threads": options.threads, "format": str(options.format), "sets": {}}
    sets = lists.data(options.rows, options.queries, options.dim, options.embeddings or [])
    for name, rows, queries in sets:
        found["sets"][name] = lists.studied(rows, queries, options.format, options.rounds)
    print(lists.printed(records.machine() | found))
    if options.record:
        records.written("lists", found, given)


_COMMANDS = {"measure": _measure, "check": _check, "lists": _lists}

if __name__ == "__main__":
    main()
