"""How much a format may cost, and whether there are speakers enough to show that it costs no more.

A rise of a rate is shown to stay within the tolerance where the upper end of its interval does. The
interval is that of the report: 95 % over draws of speakers, paired with float32.
"""

import math
from dataclasses import dataclass

from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.rows import ConditionRow
from evaluation.command.errors import InputError
from evaluation.page.notation import SPACE
from evaluation.statistics.estimates import CONFIDENCE, Estimate

# Draws of fewer speakers differ too little: their intervals promise too much. VoxCeleb1-O has 40.
FEWEST_SPEAKERS = 40
# The rule of three: a share p is seen in none of n trials with a probability below 2.5 % once n * p
# exceeds this. What is worth fewer trials may go unseen, and its interval would be no wider than 0.
FEWEST_TRIALS = -math.log((1 - CONFIDENCE) / 2)
# What is asked for where an interval tells nothing.
MORE = 2


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """What FAR, FRR and EER may each rise by: at most `points`, and at most `share` of float32's.

    Both are shares of 1. Points alone would let a rate of 0.4 % double; a share alone would let one
    of 20 % rise by 5 points.
    """

    points: float = 0.005
    share: float = 0.25

    def __post_init__(self) -> None:
        for name, value in (("points", self.points), ("share", self.share)):
            # That a format costs nothing at all cannot be shown.
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"tolerance: {name} must be above 0 and finite; got {value}")

    def allowed(self, rate: float) -> float:
        """Return by how much a rate of float32 may rise."""
        return min(self.points, self.share * rate)

    @property
    def words(self) -> str:
        """Both limits, for readers."""
        points, share = 100 * self.points, 100 * self.share
        return f"{points:g}{SPACE}percentage points and {share:g}{SPACE}% of float32's rates"


def speakers_needed(row: ConditionRow, tolerance: Tolerance) -> float:
    """Return about how many speakers show that FAR, FRR and EER stay within the tolerance.

    At most `row.speakers` where these do; infinity where one of the rates, as estimated, rises by
    more than is allowed. In between it is a rule of thumb: intervals shrink about as
    1 / sqrt(speakers), so that one that reaches r times as far above the estimate as there is room
    takes r^2 times the speakers, if the estimate stays.
    """
    return max(
        needed_for(row[FAR], tolerance, trials=row.nontargets, speakers=row.speakers),
        needed_for(row[FRR], tolerance, trials=row.targets, speakers=row.speakers),
        needed_for(row[EER], tolerance, trials=row.targets, speakers=row.speakers),
    )


def needed_for(rate: Estimate, tolerance: Tolerance, *, trials: int, speakers: int) -> float:
    """Return the same for one rate of so many trials."""
    allowed = tolerance.allowed(rate.of_float32)
    if rate.of_float32 == 0:
        # Of no errors there is no share: only points can say that it is too much.
        return math.inf if rate.change > tolerance.points else MORE * speakers
    if rate.change > allowed:
        return math.inf
    needed = max(float(FEWEST_SPEAKERS), speakers * FEWEST_TRIALS / (allowed * trials))
    if rate.change_high <= allowed:
        return needed
    if not math.isfinite(rate.change_high):
        return max(needed, MORE * speakers)
    reach, room = rate.change_high - rate.change, allowed - rate.change
    return max(needed, speakers * (reach / room) ** 2 if room else math.inf)
