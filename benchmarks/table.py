"""Results as tables for a terminal."""

from collections.abc import Sequence
from itertools import groupby

from benchmarks.record import Outcome, Result

_TEXT_COLUMNS = ("op", "format", "source", "scope", "times as fast as")
# What a case counts per second: its heading, and how many of them make one of the heading's.
_UNITS = {"values": ("Gvalues/s", 1e9), "gmac": ("GMAC/s", 1)}


def table(results: Sequence[Result]) -> str:
    """Return a line for each result, under a heading for each kind of case.

    Spread is half the distance of the quartiles.
    """
    rows = [_cells(result) for result in results]
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


def _cells(result: Result) -> dict[str, str]:
    """Return the cells by heading."""
    case, seconds, share = result.case, result.seconds, result.share_of_limit
    low, high = result.ours.time.quartiles_s
    unit, amount = _UNITS[case.unit]
    inputs = {
        name: f"{value:,}" if isinstance(value, int) else value
        for name, value in case.inputs.items()
    }
    multiply = result.share_of_multiply
    products = {} if multiply is None else {"of multiply": f"{multiply:.0%}"}
    recall = {} if result.ours.recall is None else {"recall": f"{result.ours.recall:.3f}"}
    rivals = [_rival(name, result.rivals[name], ratio) for name, ratio in result.ratios.items()]
    return {
        "op": case.op.name,
        "format": case.format.name,
        "source": case.source,
        **inputs,
        "time": f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.2f} us",
        "spread": f"{(high - low) / 2 / seconds:.1%}",
        unit: f"{case.amount / seconds / amount:.2f}",
        "GB/s": f"{result.bytes / seconds / 1e9:.1f}",
        f"of {case.limit}": "-" if share is None else f"{share:.0%}",
        **products,
        **recall,
        "times as fast as": ", ".join(rivals) or "-",
    }


def _rival(name: str, rival: Outcome, ratio: float) -> str:
    recall = "" if rival.recall is None else f" (recall {rival.recall:.3f})"
    return f"{name} {ratio:.{2 if ratio < 1 else 1}f}{recall}"
