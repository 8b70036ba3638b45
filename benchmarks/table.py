"""Results as a table for a terminal."""

from collections.abc import Sequence

from benchmarks.record import Result

_HEADINGS = (
    *("op", "format", "source", "scope", "values", "time", "spread", "Gvalues/s", "GB/s"),
    *("of copy", "times as fast as"),
)
_TEXT_COLUMNS = (0, 1, 2, 3, len(_HEADINGS) - 1)


def table(results: Sequence[Result]) -> str:
    """Return a line for each result; spread is half the distance of the quartiles."""
    lines = [_HEADINGS, *(_cells(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in _TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(result: Result) -> tuple[str, ...]:
    case, seconds, share = result.case, result.ours.median_s, result.share_of_copy
    low, high = result.ours.quartiles_s
    ratios = result.ratios.items()
    return (
        case.op.name,
        case.format.name,
        case.source,
        case.scope,
        f"{case.values:,}",
        f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.2f} us",
        f"{(high - low) / 2 / seconds:.1%}",
        f"{case.values / seconds / 1e9:.2f}",
        f"{result.bytes / seconds / 1e9:.1f}",
        "-" if share is None else f"{share:.0%}",
        ", ".join(f"{name} {ratio:.{2 if ratio < 1 else 1}f}" for name, ratio in ratios) or "-",
    )
