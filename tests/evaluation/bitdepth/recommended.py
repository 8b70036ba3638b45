"""What the study recommends within the tolerance of these tests."""

from evaluation.bitdepth.recommendation import recommended
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.bitdepth.tolerance import Tolerance

TOLERANCE = Tolerance(points=0.005, share=0.25)


def label_of(outcome: BitdepthStudy) -> str | None:
    best = recommended(outcome, tolerance=TOLERANCE)
    return None if best is None else best.condition.label
