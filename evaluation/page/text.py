"""Tables for the terminal."""

from collections.abc import Collection, Sequence


def aligned(lines: Sequence[Sequence[str]], *, words: Collection[int]) -> str:
    """Return lines of cells, columns aligned right but for those of `words`."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
