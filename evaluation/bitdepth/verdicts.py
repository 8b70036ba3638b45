"""How each format of a study does: what is shown of it, not what it might be."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import BitdepthStudy, ConditionResult
from evaluation.bitdepth.tolerance import Tolerance, needed_for, speakers_needed
from evaluation.page.table import Tone
from evaluation.stored.conditions import Preparation


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
class Judged:
    """A condition of one model, and how it does."""

    result: ConditionResult
    verdict: Verdict

    @property
    def row(self) -> ConditionRow:
        """What is known of the condition."""
        return self.result.row

    @property
    def is_within(self) -> bool:
        """Whether it is shown to stay within the tolerance."""
        return self.verdict is Verdict.WITHIN


@dataclass(frozen=True, kw_only=True)
class FormatVerdict:
    """A format of one model, by how vectors are prepared: as it is comes first."""

    by_preparation: Mapping[Preparation, Judged]

    @property
    def as_is(self) -> Judged:
        """How it does with vectors as they are."""
        return self.by_preparation["none"]

    @property
    def label(self) -> str:
        """The format's name as readers see it."""
        return self.as_is.result.condition.label

    @property
    def needed(self) -> list[Preparation]:
        """The preparations up to the first that keeps it within the tolerance, if one does."""
        ways = list(self.by_preparation)
        within = [one.is_within for one in self.by_preparation.values()]
        return ways[: 1 + within.index(True)] if any(within) else []


def format_verdicts(study: BitdepthStudy, *, tolerance: Tolerance) -> list[FormatVerdict]:
    """Return the verdicts of a model's formats, in the order of the study."""
    by_format: dict[str, dict[Preparation, Judged]] = {}
    for result in study.results:
        condition = result.condition
        if not condition.is_offered:
            continue
        judged = Judged(result=result, verdict=verdict(result.row, tolerance=tolerance))
        by_format.setdefault(condition.name, {})[condition.prepared] = judged
    return [FormatVerdict(by_preparation=found) for found in by_format.values()]
