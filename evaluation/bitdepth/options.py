"""What the command line of the bit-depth study asks for."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.bitdepth.tolerance import Tolerance
from evaluation.command.options import StudyOptions


@dataclass(frozen=True, kw_only=True)
class BitdepthOptions(StudyOptions):
    """What the bit-depth study is asked for.

    `thresholds` and `fars` hold none, one for all, or one per file; one of the two holds none. A
    threshold that is a name is that of a published model. Without `trials` all pairs are made.
    `cohorts` hold none or one per file; of each cohort `cohort_top` largest scores count, if said.
    """

    trials: list[Path]
    thresholds: list[float | str]
    fars: list[float]
    tolerance: Tolerance
    speed: bool
    cohorts: list[Path]
    cohort_top: int | None
