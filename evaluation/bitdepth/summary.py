"""What the numbers of a study mean for someone who has to choose a format."""

from collections.abc import Sequence

from evaluation.bitdepth.metrics.equal_error import EER, EER_THRESHOLD
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.recommendation import recommendation
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.bitdepth.verdicts import FormatVerdict, Verdict, format_verdicts
from evaluation.page.notation import SPACE, interval_of, signed, with_unit
from evaluation.statistics.estimates import Estimate


def summary(study: BitdepthStudy, *, tolerance: Tolerance) -> list[str]:
    """Return the model's numbers in words, the recommendation first, then in order of interest."""
    formats = format_verdicts(study, tolerance=tolerance)
    return [
        recommendation(study, tolerance=tolerance),
        _baseline(study),
        *_within_as_is(formats),
        *(_needs_scaling(one) for one in formats if _is_repaired(one)),
        *(_not_within(one) for one in formats if _is_never_within(one)),
        *_left_out(study),
    ]


def _is_repaired(one: FormatVerdict) -> bool:
    return one.verdict_as_is is not Verdict.WITHIN and one.verdict_scaled is Verdict.WITHIN


def _is_never_within(one: FormatVerdict) -> bool:
    return one.verdict_as_is is not Verdict.WITHIN and one.verdict_scaled is not Verdict.WITHIN


def _baseline(study: BitdepthStudy) -> str:
    row = study.float32
    return (
        f"In float32, at {row.threshold:.4f}, {study.task.operating_point.words}, "
        f"{_rate(row[FAR])} of pairs of different speakers are accepted and {_rate(row[FRR])} of "
        "pairs of one speaker are rejected."
    )


def _within_as_is(formats: Sequence[FormatVerdict]) -> list[str]:
    within = [one for one in formats if one.verdict_as_is is Verdict.WITHIN]
    if not within:
        return []
    names = ", ".join(one.label for one in within)
    rates = [rate for one in within for rate in (one.as_is.row[FAR], one.as_is.row[FRR])]
    worst = max(rate.change_high for rate in rates)
    return [
        f"Shown to stay within the tolerance as they are: {names}. The intervals of the changes of "
        f"FAR and FRR end at {signed(worst)}{SPACE}points or below among them."
    ]


def _needs_scaling(one: FormatVerdict) -> str:
    as_is, scaled = one.as_is.row, one.scaled.row
    return (
        f"{one.label} needs scaling. At the unchanged threshold it rejects {_rate(as_is[FRR])} of "
        f"pairs of one speaker as it is and {_rate(scaled[FRR])} scaled; it accepts "
        f"{with_unit(as_is[FAR].value)} and {with_unit(scaled[FAR].value)} of pairs of different "
        "speakers."
    )


def _not_within(one: FormatVerdict) -> str:
    as_is, scaled = one.as_is.row, one.scaled.row
    outcome = {
        Verdict.UNSURE: "There are too few speakers to tell whether it stays within the tolerance "
        "when scaled: the",
        Verdict.RETUNE: f"Scale it and set the threshold anew, near {scaled[EER_THRESHOLD]:.4f}: "
        "the",
        Verdict.COSTLY: "Even scaled, and with a threshold of its own, it loses accuracy: the",
    }[one.verdict_scaled]
    return (
        f"{one.label} is not shown to keep the threshold: it rejects {_rate(as_is[FRR])} of pairs "
        f"of one speaker as it is and {_rate(scaled[FRR])} scaled. {outcome} equal error rate is "
        f"{_rate(scaled[EER])}, {signed(scaled[EER].change)}{SPACE}points against float32 "
        f"({signed(scaled[EER].change_low)} to {signed(scaled[EER].change_high)})."
    )


def _left_out(study: BitdepthStudy) -> list[str]:
    """Return a warning of the intervals that leave out their own estimate."""
    found = [
        f"{metric.heading} of {result.condition.label}"
        for result in study.results
        for metric in (FAR, FRR, EER)
        if result.row[metric].is_left_out
    ]
    if not found:
        return []
    return [
        "The draws of speakers do not surround the estimate, so that its interval is not to be "
        f"relied on: {', '.join(found)}."
    ]


def _rate(estimate: Estimate) -> str:
    return f"{with_unit(estimate.value)} ({interval_of(estimate)})"
