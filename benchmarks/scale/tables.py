"""Tables in Markdown, and numbers with their units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_THOUSANDS = ("B", "kB", "MB", "GB", "TB", "PB")


def markdown(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table with these headings."""
    all_lines = [headings, ["---"] * len(headings), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in all_lines)


def seconds(time: float) -> str:
    """Return a time, given in seconds, in a unit that suits it, to three digits; "-" for none."""
    if time == 0:
        return "-"
    if time < 1e-3:
        return f"{_digits(time * 1e6)} us"
    if time < 1:
        return f"{_digits(time * 1e3)} ms"
    if time < 600:
        return f"{_digits(time)} s"
    return f"{_digits(time / 60)} min" if time < 36_000 else f"{_digits(time / 3600)} h"


def size(number: float) -> str:
    """Return bytes in thousands, millions and so on, to three digits; "-" for none."""
    if number == 0:
        return "-"
    step = 0
    while number >= 999.5 and step + 1 < len(_THOUSANDS):
        number, step = number / 1000, step + 1
    return f"{_digits(number)} {_THOUSANDS[step]}"


def threads(number: int) -> str:
    """Return how many threads, in words."""
    return "1 thread" if number == 1 else f"{number} threads"


def _digits(number: float) -> str:
    """Return three digits of a number, or all before its point."""
    if number >= 99.95:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"
