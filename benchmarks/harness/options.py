"""What several commands take and check alike; imports nothing but the standard library."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO, TypeVar

INSTALL = 'pip install "minifloat[bench]"'

T = TypeVar("T")


def count(text: str) -> int:
    """Return the whole number, at least 1, that a text says."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1; got {text!r}")
    return int(text)


def counts(text: str) -> list[int]:
    """Return whole numbers, at least 1, that a text says with commas between."""
    return [count(word) for word in text.split(",")]


def names(find: Callable[[str], T]) -> Callable[[str], list[T]]:
    """Return the parser of comma-separated names; what one stands for is taken once."""

    def parse(text: str) -> list[T]:
        try:
            return list(dict.fromkeys(find(name) for name in text.split(",")))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def finder(allowed: Mapping[str, T]) -> Callable[[str], T]:
    """Return what finds by name, and says which names there are where it does not."""

    def find(name: str) -> T:
        if name not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}; got {name!r}")
        return allowed[name]

    return find


def add_out(parser: argparse.ArgumentParser, result: str) -> None:
    """Add the option that names the file of the records."""
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"where a JSON line for each {result} is appended"
    )


def require(parser: argparse.ArgumentParser, packages: Iterable[str]) -> None:
    """End the command, with how to install it, where a package that it needs is absent."""
    for name in ("tqdm", *packages):
        if importlib.util.find_spec(name) is None:
            parser.error(f"the benchmarks need {name}, which is not installed; {INSTALL}")


def opened(
    parser: argparse.ArgumentParser, path: Path | None
) -> contextlib.AbstractContextManager[TextIO | None]:
    """Return the file of `--out`, to be appended to; end the command where it cannot be."""
    if path is None:
        return contextlib.nullcontext()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as error:
        parser.error(f"--out {path}: {error.strerror}")
