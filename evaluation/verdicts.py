"""What the numbers of a study mean for someone who has to choose a format."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from evaluation.bitdepth import Estimate, ModelStudy, Result, Row
from evaluation.conditions import Condition


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
        if isinstance(condition.format, type(study.results[0].condition.format)):
            continue
        if condition.scale == "amax":
            continue
        scaled = by_condition[Condition(format=condition.format, scale="amax")]
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


def percent(share: float) -> str:
    """Return a share in percent with two decimals: 1.13 %."""
    return f"{100 * share:.2f} %"


def points(share: float) -> str:
    """Return a difference of shares in percentage points with its sign: +0.10 points."""
    return f"{signed(share)} points"


def signed(share: float) -> str:
    """Return a difference in percentage points: +0.10, or 0.00 where it rounds to that."""
    text = f"{100 * share:+.2f}"
    return "0.00" if float(text) == 0 else text


def change_of(estimate: Estimate) -> str:
    """Return a difference from float32 with its interval: +0.10 points (+0.06 to +0.14)."""
    low, high = signed(estimate.change_low), signed(estimate.change_high)
    return f"{points(estimate.change)} ({low} to {high})"


def range_of(estimate: Estimate) -> str:
    """Return the 95 % interval in percent: 0.87 to 1.40 %."""
    return f"{100 * estimate.low:.2f} to {100 * estimate.high:.2f} %"


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
            f"No format keeps both error rates within {points(tolerance).lstrip('+')} at the "
            "unchanged threshold."
        )
    # Of equally small formats the one that loses fewer genuine pairs; as it is before scaled.
    best = min(candidates, key=lambda result: (result.row.bytes_per_vector, result.row.frr.value))
    row, whole = best.row, study.float32.bytes_per_vector
    return (
        f"{best.condition.label} stores a vector in {row.bytes_per_vector} bytes instead of "
        f"{whole}, {whole / row.bytes_per_vector:.1f} times smaller, with the same threshold: "
        f"FAR {change_of(row.far)}, FRR {change_of(row.frr)}."
    )


def _baseline(study: ModelStudy) -> str:
    row = study.float32
    chosen = "the given threshold" if study.threshold_given else "the threshold of equal errors"
    return (
        f"In float32, at {row.threshold:.4f}, {chosen}, {percent(row.far.value)} of pairs of "
        f"different speakers are accepted ({range_of(row.far)}; n = {row.nontargets:,}) and "
        f"{percent(row.frr.value)} of pairs of one speaker are rejected ({range_of(row.frr)}; "
        f"n = {row.targets:,})."
    )


def _safe_as_is(formats: Sequence[FormatVerdict], *, tolerance: float) -> list[str]:
    safe = [one for one in formats if one.verdict_as_is is Verdict.SAFE]
    if not safe:
        return []
    names = ", ".join(one.label for one in safe)
    worst = max(max(one.as_is.row.far.change, one.as_is.row.frr.change) for one in safe)
    return [
        f"Safe as they are: {names}. The larger rise of FAR or FRR among them is "
        f"{points(worst)} (allowed: {points(tolerance)})."
    ]


def _needs_scaling(one: FormatVerdict) -> str:
    as_is, scaled = one.as_is.row, one.scaled.row
    return (
        f"{one.label} needs scaling: at the same threshold it rejects {percent(as_is.frr.value)} "
        f"of pairs of one speaker as it is ({range_of(as_is.frr)}) and "
        f"{percent(scaled.frr.value)} scaled ({range_of(scaled.frr)}); it "
        f"accepts {percent(as_is.far.value)} and {percent(scaled.far.value)} of pairs of different "
        "speakers."
    )


def _never_safe(one: FormatVerdict) -> str:
    as_is, scaled = one.as_is.row, one.scaled.row
    remedy = {
        Verdict.RETUNE: (
            f"scale it and set the threshold anew, near {scaled.eer_threshold:.4f}: the equal "
            f"error rate is {percent(scaled.eer.value)} ({range_of(scaled.eer)}), "
            f"{points(scaled.eer.change)} against float32"
        ),
        Verdict.COSTLY: (
            f"even scaled, the equal error rate is {percent(scaled.eer.value)} "
            f"({range_of(scaled.eer)}), {points(scaled.eer.change)} against float32"
        ),
    }[one.verdict_scaled]
    return (
        f"{one.label} does not keep the threshold: it rejects {percent(as_is.frr.value)} of pairs "
        f"of one speaker as it is and {percent(scaled.frr.value)} scaled; {remedy}."
    )
