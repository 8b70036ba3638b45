"""What the numbers of a study mean for someone who has to choose a format."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from evaluation.bitdepth.conditions import Condition
from evaluation.bitdepth.notation import SPACE, interval_of, percent, signed, with_unit
from evaluation.bitdepth.rows import Estimate, Row
from evaluation.bitdepth.study import ModelStudy, Result


class Verdict(Enum):
    """How a condition does, best first."""

    SAFE = "safe"
    RETUNE = "new threshold"
    COSTLY = "costly"


def verdict(row: Row, *, tolerance: float) -> Verdict:
    """SAFE if FAR and FRR each rise by at most `tolerance` at float32's threshold.

    RETUNE if they do not, but the equal error rate rises by at most `tolerance`, so that a
    threshold of the condition's own serves; COSTLY otherwise. `tolerance` is a share of 1.
    """
    if max(row.far.change, row.frr.change) <= tolerance:
        return Verdict.SAFE
    return Verdict.RETUNE if row.eer.change <= tolerance else Verdict.COSTLY


@dataclass(frozen=True, kw_only=True)
class FormatVerdict:
    """A format of one model, as it is and scaled."""

    as_is: Result
    scaled: Result
    verdict_as_is: Verdict
    verdict_scaled: Verdict

    @property
    def label(self) -> str:
        """The format's name as readers see it."""
        return self.as_is.condition.label


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What to say first about a model: one headline, then points in order of interest."""

    headline: str
    points: list[str]


def format_verdicts(study: ModelStudy, *, tolerance: float) -> list[FormatVerdict]:
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


def summarise(study: ModelStudy, *, tolerance: float) -> Summary:
    """Return the model's numbers in words."""
    formats = format_verdicts(study, tolerance=tolerance)
    return Summary(
        headline=_headline(study, formats, tolerance=tolerance),
        points=[
            _baseline(study),
            *_safe_as_is(formats, tolerance=tolerance),
            *(_needs_scaling(one) for one in formats if _is_repaired(one)),
            *(_never_safe(one) for one in formats if _is_never_safe(one)),
        ],
    )


def _is_repaired(one: FormatVerdict) -> bool:
    return one.verdict_as_is is not Verdict.SAFE and one.verdict_scaled is Verdict.SAFE


def _is_never_safe(one: FormatVerdict) -> bool:
    return one.verdict_as_is is not Verdict.SAFE and one.verdict_scaled is not Verdict.SAFE


def _headline(study: ModelStudy, formats: Sequence[FormatVerdict], *, tolerance: float) -> str:
    candidates = [
        result
        for one in formats
        for result in (one.as_is, one.scaled)
        if verdict(result.row, tolerance=tolerance) is Verdict.SAFE
    ]
    if not candidates:
        return (
            f"No format keeps both error rates within {_points(tolerance)} of float32's at the "
            "unchanged threshold."
        )
    # Of equally small formats the one that loses fewer genuine pairs; as it is before scaled.
    best = min(candidates, key=lambda result: (result.row.bytes_per_vector, result.row.frr.value))
    row, float32 = best.row, study.float32
    return (
        f"{best.condition.label} stores a vector in {row.bytes_per_vector} bytes instead of "
        f"{float32.bytes_per_vector}, "
        f"{float32.bytes_per_vector / row.bytes_per_vector:.1f} times smaller. With the threshold "
        f"unchanged, FAR goes from {percent(float32.far.value)} to {with_unit(row.far.value)} "
        f"and FRR from {percent(float32.frr.value)} to {with_unit(row.frr.value)}."
    )


def _baseline(study: ModelStudy) -> str:
    row = study.float32
    chosen = "the given threshold" if study.threshold_given else "where FAR and FRR meet"
    return (
        f"In float32, at {row.threshold:.4f}, {chosen}, {_rate(row.far)} of pairs of different "
        f"speakers are accepted and {_rate(row.frr)} of pairs of one speaker are rejected."
    )


def _safe_as_is(formats: Sequence[FormatVerdict], *, tolerance: float) -> list[str]:
    safe = [one for one in formats if one.verdict_as_is is Verdict.SAFE]
    if not safe:
        return []
    names = ", ".join(one.label for one in safe)
    worst = max(max(one.as_is.row.far.change, one.as_is.row.frr.change) for one in safe)
    return [
        f"Safe as they are: {names}. FAR and FRR rise by at most {_points(worst)} among them; "
        f"{_points(tolerance)} are allowed."
    ]


def _needs_scaling(one: FormatVerdict) -> str:
    as_is, scaled = one.as_is.row, one.scaled.row
    return (
        f"{one.label} needs scaling. At the unchanged threshold it rejects {_rate(as_is.frr)} of "
        f"pairs of one speaker as it is and {_rate(scaled.frr)} scaled; it accepts "
        f"{with_unit(as_is.far.value)} and {with_unit(scaled.far.value)} of pairs of different "
        "speakers."
    )


def _never_safe(one: FormatVerdict) -> str:
    as_is, scaled = one.as_is.row, one.scaled.row
    remedy = {
        Verdict.RETUNE: f"Scale it and set the threshold anew, near {scaled.eer_threshold:.4f}: "
        "the",
        Verdict.COSTLY: "Even scaled, and with a threshold of its own, it loses accuracy: the",
    }[one.verdict_scaled]
    return (
        f"{one.label} does not keep the threshold: it rejects {_rate(as_is.frr)} of pairs of one "
        f"speaker as it is and {_rate(scaled.frr)} scaled. {remedy} equal error rate is "
        f"{_rate(scaled.eer)}, {signed(scaled.eer.change)}{SPACE}points against float32."
    )


def _rate(estimate: Estimate) -> str:
    return f"{with_unit(estimate.value)} ({interval_of(estimate)})"


def _points(difference: float) -> str:
    return f"{signed(difference).lstrip('+')}{SPACE}points"
