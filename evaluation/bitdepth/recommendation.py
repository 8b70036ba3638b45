"""Which format to take: the fewest bits that are shown to stay within the tolerance.

The rule: FAR and FRR at the threshold in use and the EER are each shown to rise by no more than the
tolerance (`tolerance.py`); of the formats of which that is so, the fewest bits; of equally small
ones the fewest flipped decisions. Fewer speakers have wider intervals, and fewer than
FEWEST_SPEAKERS show nothing. Yet no rule that heeds its data can promise that speakers who are
added never take back what was shown without them: they may be those whom a format harms.
"""

import math

from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.same_decision import FLIPPED_NONTARGETS, FLIPPED_TARGETS
from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR
from evaluation.bitdepth.study import BitdepthStudy, ConditionResult
from evaluation.bitdepth.tolerance import Tolerance, speakers_needed
from evaluation.page.notation import SPACE, percent, signed, with_unit
from evaluation.statistics.estimates import Estimate


def recommended(study: BitdepthStudy, *, tolerance: Tolerance) -> ConditionResult | None:
    """Return the smallest format that is shown to stay within the tolerance, or None."""
    shown = [
        result
        for result in _candidates(study)
        if speakers_needed(result.row, tolerance) <= result.row.speakers
    ]
    return min(shown, key=_order, default=None)


def advice(study: BitdepthStudy, *, tolerance: Tolerance) -> str:
    """Return what to take in one sentence, for those who read no other."""
    best, float32 = recommended(study, tolerance=tolerance), study.float32
    if best is not None:
        row = best.row
        return (
            f"Take {best.condition.label}, {row[BYTES_PER_VECTOR]} bytes a vector instead of "
            f"{float32[BYTES_PER_VECTOR]}: FAR is then {with_unit(row[FAR].value)} instead of "
            f"{with_unit(float32[FAR].value)} and FRR {with_unit(row[FRR].value)} instead of "
            f"{with_unit(float32[FRR].value)}."
        )
    hopeful = _hopeful(study, best, tolerance)
    if not hopeful:
        return "Stay with float32: every format costs more than the tolerance."
    return (
        f"Stay with float32: {float32.speakers} speakers are too few to tell what a format costs, "
        f"and about {_missing(hopeful, tolerance):,} more would tell."
    )


def applied(study: BitdepthStudy, best: ConditionResult) -> str:
    """Return the line of code that stores embeddings as a result of the study has them."""
    condition = best.condition
    how = {
        "none": ', scale="none"',
        "amax": "",
        "frame": ", frame=frame",
        "feedback": ', frame=frame, rounding="feedback"',
    }[condition.prepared]
    step = study.task.embeddings.sample_step
    sample = "embeddings" if step == 1 else f"embeddings[::{step}]"
    fed = ", feedback=True" if condition.prepared == "feedback" else ""
    frame = f"frame = minifloat.Frame.fit({sample}{fed}); " if "frame=" in how else ""
    return f'{frame}packed = minifloat.quantize(embeddings, "{condition.name}"{how})'


def recommendation(study: BitdepthStudy, *, tolerance: Tolerance) -> str:
    """Return in a few sentences what to take, what it costs, and what more speakers may show."""
    best, float32 = recommended(study, tolerance=tolerance), study.float32
    hopeful = _hopeful(study, best, tolerance)
    if best is None and not hopeful:
        return (
            f"Stay with float32, {float32[BYTES_PER_VECTOR]} bytes a vector: every format costs "
            f"more than the tolerance ({tolerance.words}) at the unchanged threshold."
        )
    more = _more_speakers(hopeful, tolerance) if hopeful else ""
    if best is None:
        return (
            f"Too few speakers to tell: of {float32.speakers}, no format is shown to stay within "
            f"the tolerance ({tolerance.words}). {more} Until then stay with float32."
        )
    row = best.row
    size, of_float32 = row[BYTES_PER_VECTOR], float32[BYTES_PER_VECTOR]
    return (
        f"Take {best.condition.label}, {size} bytes a vector instead of "
        f"{of_float32}, {of_float32 / size:.1f} times "
        "smaller: it has the fewest bits of those that are shown, for speakers like these, to stay "
        f"within the tolerance ({tolerance.words}). With the threshold unchanged, FAR goes "
        f"{_change(row[FAR])} and FRR {_change(row[FRR])}; "
        f"EER goes {_change(row[EER])}. {more}".rstrip()
    )


def _candidates(study: BitdepthStudy) -> list[ConditionResult]:
    return [result for result in study.results if result.condition.is_offered]


def _hopeful(
    study: BitdepthStudy, best: ConditionResult | None, tolerance: Tolerance
) -> list[ConditionResult]:
    """Return the smaller formats that more speakers may show to stay within the tolerance."""
    return [
        result
        for result in _candidates(study)
        if study.float32.speakers < speakers_needed(result.row, tolerance) < math.inf
        and (best is None or result.row.bits < best.row.bits)
    ]


def _order(result: ConditionResult) -> tuple[int, int]:
    return result.row.bits, result.row[FLIPPED_TARGETS] + result.row[FLIPPED_NONTARGETS]


def _more_speakers(hopeful: list[ConditionResult], tolerance: Tolerance) -> str:
    """Return of which format how many speakers more would tell: the one that needs the fewest."""
    nearest = _nearest(hopeful, tolerance)
    return (
        f"The estimates of {nearest.condition.label} ({nearest.row.bits} bits) are within it, but "
        f"so few speakers and errors do not show it: about {_missing(hopeful, tolerance):,} "
        "speakers more would tell."
    )


def _nearest(hopeful: list[ConditionResult], tolerance: Tolerance) -> ConditionResult:
    return min(hopeful, key=lambda result: speakers_needed(result.row, tolerance))


def _missing(hopeful: list[ConditionResult], tolerance: Tolerance) -> int:
    row = _nearest(hopeful, tolerance).row
    return _rounded_up(speakers_needed(row, tolerance) - row.speakers)


def _rounded_up(number: float) -> int:
    """Return a number rounded up to two digits: it is an order of magnitude."""
    step = int(10 ** max(0, math.floor(math.log10(number)) - 1))
    return math.ceil(number / step) * step


def _change(rate: Estimate) -> str:
    return (
        f"from {percent(rate.of_float32)} to {with_unit(rate.value)} ({signed(rate.change)}"
        f"{SPACE}points, {signed(rate.change_low)} to {signed(rate.change_high)})"
    )
