"""Which format to take: the smallest that loses nothing that can be told from chance."""

from evaluation.bitdepth.notation import SPACE, percent, signed, with_unit
from evaluation.bitdepth.study import ModelStudy, Result
from evaluation.bitdepth.verdicts import Verdict, verdict


def recommended(study: ModelStudy, *, tolerance: float) -> Result | None:
    """Return the smallest format whose interval of the EER's change has no loss in it, or None.

    Of equally small ones it is one that keeps the threshold, and then that with the smaller change.
    """
    lossless = [
        result
        for result in study.results
        # An interval that is not a number, for want of speakers, recommends nothing.
        if not result.condition.is_reference and result.row.eer.change_low <= 0
    ]
    if not lossless:
        return None

    def order(result: Result) -> tuple[int, bool, float]:
        kept = verdict(result.row, tolerance=tolerance) is Verdict.SAFE
        return result.row.bits, not kept, result.row.eer.change

    return min(lossless, key=order)


def recommendation(study: ModelStudy, *, tolerance: float) -> str:
    """Return in two sentences what to take and what it costs."""
    best, float32 = recommended(study, tolerance=tolerance), study.float32
    if best is None:
        return (
            f"{study.name}: every format costs accuracy, or there are too few speakers to tell; "
            f"stay with {float32.bytes_per_vector} bytes a vector."
        )
    row = best.row
    change = (
        f"{signed(row.eer.change)}{SPACE}points ({signed(row.eer.change_low)} to "
        f"{signed(row.eer.change_high)})"
    )
    return (
        f"{study.name}: take {best.condition.label}, {row.bytes_per_vector} bytes a vector "
        f"instead of {float32.bytes_per_vector}, "
        f"{float32.bytes_per_vector / row.bytes_per_vector:.1f} times smaller: it is the smallest "
        f"format without a loss that can be told from chance (equal error rate {change} from "
        f"{with_unit(float32.eer.value)}). With the threshold unchanged, FAR goes from "
        f"{percent(float32.far.value)} to {with_unit(row.far.value)} and FRR from "
        f"{percent(float32.frr.value)} to {with_unit(row.frr.value)}."
    )
