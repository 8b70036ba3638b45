"""How each format of a study does: what is shown of it, not what it might be."""

from dataclasses import dataclass
from enum import Enum

from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import BitdepthStudy, ConditionResult
from evaluation.bitdepth.tolerance import Tolerance, needed_for, speakers_needed
from evaluation.page.table import Tone
from evaluation.stored.conditions import Condition


class Verdict(Enum):
    """How a condition does, best first."""

    WITHIN = "within tolerance"
    UNSURE = "too few speakers"
    RETUNE = "new threshold"
    COSTLY = "costly"


TONES: dict[Verdict, Tone] = {
    Verdict.WITHIN: "good",
    Verdict.UNSURE: "fair",
    Verdict.RETUNE: "fair",
    Verdict.COSTLY: "poor",
}


def verdict(row: ConditionRow, *, tolerance: Tolerance) -> Verdict:
    """WITHIN if FAR, FRR and EER are each shown to stay within the tolerance; see `tolerance.py`.

    RETUNE if FAR or FRR, as estimated, rises by more at float32's threshold, but the EER is shown
    not to, so that a threshold of the condition's own serves. COSTLY if the EER, as estimated,
    rises by more. UNSURE otherwise: the estimates are within it, their intervals reach beyond.
    """
    needed = speakers_needed(row, tolerance)
    if needed <= row.speakers:
        return Verdict.WITHIN
    of_eer = needed_for(row[EER], tolerance, trials=row.targets, speakers=row.speakers)
    if of_eer == float("inf"):
        return Verdict.COSTLY
    beyond = needed == float("inf")
    return Verdict.RETUNE if beyond and of_eer <= row.speakers else Verdict.UNSURE


@dataclass(frozen=True, kw_only=True)
class FormatVerdict:
    """A format of one model, as it is and scaled."""

    as_is: ConditionResult
    scaled: ConditionResult
    verdict_as_is: Verdict
    verdict_scaled: Verdict

    @property
    def label(self) -> str:
        """The format's name as readers see it."""
        return self.as_is.condition.label


def format_verdicts(study: BitdepthStudy, *, tolerance: Tolerance) -> list[FormatVerdict]:
    """Return the verdicts of a model's formats, in the order of the study."""
    by_condition = {result.condition: result for result in study.results}
    verdicts = []
    for condition, result in by_condition.items():
        scaled = by_condition.get(Condition(format=condition.format, scale="amax"))
        # A reference has no scaled form; scaled and unsaturated ones are told beside one as it is.
        if scaled is None or scaled is result or not condition.saturate:
            continue
        verdicts.append(
            FormatVerdict(
                as_is=result,
                scaled=scaled,
                verdict_as_is=verdict(result.row, tolerance=tolerance),
                verdict_scaled=verdict(scaled.row, tolerance=tolerance),
            )
        )
    return verdicts
