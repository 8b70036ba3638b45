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
from evaluation.stored.conditions import PREPARATIONS, Preparation
from minifloat.feedback import LEAST_ROWS, WORTH

_BEST_FIRST = list(Verdict)


def summary(study: BitdepthStudy, *, tolerance: Tolerance) -> list[str]:
    """Return the model's numbers in words, the recommendation first, then in order of interest."""
    formats = format_verdicts(study, tolerance=tolerance)
    return [
        recommendation(study, tolerance=tolerance),
        _baseline(study),
        *_within_as_is(formats),
        *(_repaired(one) for one in formats if len(one.needed) > 1),
        *(_not_within(one) for one in formats if not one.needed),
        *_without_feedback(study),
        *_left_out(study),
    ]


def _baseline(study: BitdepthStudy) -> str:
    row = study.float32
    return (
        f"In float32, at {row.threshold:.4f}, {study.task.operating_point.words}, "
        f"{_rate(row[FAR])} of pairs of different speakers are accepted and {_rate(row[FRR])} of "
        "pairs of one speaker are rejected."
    )


def _within_as_is(formats: Sequence[FormatVerdict]) -> list[str]:
    within = [one for one in formats if one.as_is.is_within]
    if not within:
        return []
    names = ", ".join(one.label for one in within)
    rates = [rate for one in within for rate in (one.as_is.row[FAR], one.as_is.row[FRR])]
    worst = max(rate.change_high for rate in rates)
    return [
        f"Shown to stay within the tolerance as they are: {names}. The intervals of the changes of "
        f"FAR and FRR end at {signed(worst)}{SPACE}points or below among them."
    ]


def _repaired(one: FormatVerdict) -> str:
    ways = one.needed
    needed = {"amax": "scaling", "frame": "a frame", "feedback": "a frame and feedback"}[ways[-1]]
    accepted = [with_unit(one.by_preparation[way].row[FAR].value) for way in ways]
    return (
        f"{one.label} needs {needed}. At the unchanged threshold it rejects "
        f"{_rejected(one, ways)}; it accepts {_listed(accepted)} of pairs of different speakers."
    )


def _not_within(one: FormatVerdict) -> str:
    ways = list(one.by_preparation)
    # Of equal verdicts the last: what is done most to vectors.
    best = min(
        reversed(ways[1:]), key=lambda way: _BEST_FIRST.index(one.by_preparation[way].verdict)
    )
    row, word = one.by_preparation[best].row, PREPARATIONS[best]
    outcome = {
        Verdict.UNSURE: "There are too few speakers to tell whether it stays within the tolerance "
        f"when {word}: the",
        Verdict.RETUNE: f"Take it {word} and set the threshold anew, near "
        f"{row[EER_THRESHOLD]:.4f}: the",
        Verdict.COSTLY: f"Even {word}, and with a threshold of its own, it loses accuracy: the",
    }[one.by_preparation[best].verdict]
    return (
        f"{one.label} is not shown to keep the threshold: it rejects {_rejected(one, ways)}. "
        f"{outcome} equal error rate is "
        f"{_rate(row[EER])}, {signed(row[EER].change)}{SPACE}points against float32 "
        f"({signed(row[EER].change_low)} to {signed(row[EER].change_high)})."
    )


def _rejected(one: FormatVerdict, ways: Sequence[Preparation]) -> str:
    """Return the shares of pairs of one speaker that are rejected, by how vectors are prepared."""
    first, *others = ways
    rates = [f"{_rate(one.by_preparation[way].row[FRR])} {PREPARATIONS[way]}" for way in others]
    as_is = f"{_rate(one.by_preparation[first].row[FRR])} of pairs of one speaker as it is"
    return _listed([as_is, *rates])


def _listed(parts: Sequence[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def _without_feedback(study: BitdepthStudy) -> list[str]:
    """Return why codes do not take up each other's errors; nothing where they do."""
    feedback = study.task.embeddings.frame.feedback
    if study.task.embeddings.feeds_back:
        return []
    if feedback is None:
        return [f"Feedback is not tried: that takes {LEAST_ROWS} vectors that are not zero."]
    return [
        f"Feedback is not tried: of the errors of products of vectors held back it leaves "
        f"{feedback.gain:.2f}, more than {WORTH}."
    ]


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
