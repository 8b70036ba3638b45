"""How many pairs are decided as in float32, and how many are not."""

from evaluation.bitdepth.measurement import Measured
from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.bitdepth.rows import ConditionRow
from evaluation.page.cells import BOUNDS
from evaluation.page.notation import count, finely
from evaluation.statistics.estimates import Number


def _measure(measured: Measured) -> Number:
    flips, trials = measured.flips, measured.trials
    same = 1 - (flips.targets + flips.nontargets) / (trials.targets + trials.nontargets)
    return Number(value=same, draws=flips.same_draws(measured.bootstrap))


def _note(row: ConditionRow) -> str:
    return (
        "Same decision: pairs in percent that are accepted or rejected as in float32, and how many "
        f"pairs are not (flipped); n = {row.targets + row.nontargets:,} pairs, {row.targets:,} of "
        f"one speaker. {BOUNDS}"
    )


SAME_DECISION = ConditionMetric(
    name="same_decision",
    heading="same decision",
    measure=_measure,
    show=finely,
    better="high",
    table="decisions",
    note=_note,
)
FLIPPED_TARGETS = ConditionMetric(
    name="flipped_targets",
    heading="flipped, one speaker",
    measure=lambda measured: measured.flips.targets,
    show=count,
    better="low",
    table="decisions",
)
FLIPPED_NONTARGETS = ConditionMetric(
    name="flipped_nontargets",
    heading="flipped, different speakers",
    measure=lambda measured: measured.flips.nontargets,
    show=count,
    better="low",
    table="decisions",
)
