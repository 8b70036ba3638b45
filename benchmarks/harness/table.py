"""Results as tables for a terminal."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from benchmarks.harness.calls import CallCase

_TEXT_COLUMNS = ("op", "format", "source", "scope", "times as fast as")
# What a case counts per second: its heading, and how many of them make one of the heading's.
_UNITS = {"values_per_s": ("Gvalues/s", 1e9), "gmac_per_s": ("GMAC/s", 1)}

# What a case has found.
Found = Mapping[str, Any]


def table(results: Sequence[tuple[CallCase, Found]]) -> str:
    """Return a line for each result, under a heading for each kind of case.

    Spread is half the distance of the quartiles.
    """
    rows = [_cells(case, found) for case, found in results]
    return "\n\n".join(_aligned(list(group)) for _, group in groupby(rows, key=tuple))


def _aligned(rows: Sequence[dict[str, str]]) -> str:
    headings = tuple(rows[0])
    lines = [headings, *(tuple(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if heading in _TEXT_COLUMNS else cell.rjust(width)
            for heading, cell, width in zip(headings, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _cells(case: CallCase, found: Found) -> dict[str, str]:
    """Return the cells by heading."""
    (ours,) = found["minifloat"]
    seconds, (low, high) = ours["median_s"], ours["quartiles_s"]
    unit, amount = _UNITS[case.unit]
    inputs = {
        name: f"{value:,}" if isinstance(value, int) else value
        for name, value in case.inputs.items()
    }
    share = ours.get(f"share_of_{case.bound}")
    multiply = ours.get("share_of_multiply")
    products = {} if multiply is None else {"of multiply": f"{multiply:.0%}"}
    recall = {"recall": f"{ours['recall']:.3f}"} if "recall" in ours else {}
    rivals = [_rival(name, rival, ours["ratios"][name]) for name, rival in found["rivals"].items()]
    return {
        "op": case.op,
        **inputs,
        "time": f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.2f} us",
        "spread": f"{(high - low) / 2 / seconds:.1%}",
        unit: f"{ours[case.unit] / amount:.2f}",
        "GB/s": f"{ours['gb_per_s']:.1f}",
        f"of {case.bound}": "-" if share is None else f"{share:.0%}",
        **products,
        **recall,
        "times as fast as": ", ".join(rivals) or "-",
    }


def _rival(name: str, rival: Found, ratio: float) -> str:
    recall = f" (recall {rival['recall']:.3f})" if "recall" in rival else ""
    return f"{name} {ratio:.{2 if ratio < 1 else 1}f}{recall}"
