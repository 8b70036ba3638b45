"""Estimates as cells of tables, each with its interval."""

from evaluation.page.table import Cell, Tone
from evaluation.statistics.estimates import CONFIDENCE, Estimate

BOUNDS = f"The small figures bound the {round(100 * CONFIDENCE)} % interval over draws of speakers"


def value_cell(estimate: Estimate, *, mark: str = "", tone: Tone = "") -> Cell:
    """Return an estimate."""
    return Cell(value=estimate.value, low=estimate.low, high=estimate.high, mark=mark, tone=tone)


def change_cell(estimate: Estimate, *, mark: str = "", tone: Tone = "") -> Cell:
    """Return the difference from float32."""
    return Cell(
        value=estimate.change,
        low=estimate.change_low,
        high=estimate.change_high,
        mark=mark,
        tone=tone,
    )
