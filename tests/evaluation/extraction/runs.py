"""An extraction as tests run it, and what it has written."""

import csv
from collections.abc import Callable
from pathlib import Path

Extract = Callable[..., int]


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.parent.iterdir()}


def skipped(out: Path) -> dict[str, str]:
    path = out.with_name("voices-skipped.csv")
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {line["path"]: line["reason"] for line in csv.DictReader(file)}
