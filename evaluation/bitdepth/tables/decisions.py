"""The four counts of every condition, and how many decisions are not float32's."""

from evaluation.bitdepth.metrics.counts import FN, FP, TN, TP
from evaluation.bitdepth.metrics.same_decision import (
    FLIPPED_NONTARGETS,
    FLIPPED_TARGETS,
    SAME_DECISION,
)
from evaluation.bitdepth.tables.columns import FORMAT, cells, columns, metrics_of, notes
from evaluation.bitdepth.tables.told import Told
from evaluation.page.table import Table

FIRST = (TP, FN, FP, TN, SAME_DECISION, FLIPPED_TARGETS, FLIPPED_NONTARGETS)


def decisions(told: Told) -> Table:
    """Return counts of decisions of every condition."""
    study = told.study
    metrics = metrics_of("decisions", first=FIRST)
    return Table(
        slug=f"{study.name}-decisions",
        caption="Decisions",
        columns=[FORMAT, *columns(metrics, study.float32)],
        rows=[[result.condition.label, *cells(metrics, result)] for result in study.results],
        note=f"{notes(metrics, study.float32)}.",
    )
