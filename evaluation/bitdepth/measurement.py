"""One condition measured: what metrics take their numbers from."""

from dataclasses import dataclass

from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.statistics.bootstrap import GridErrors, SpeakerBootstrap
from evaluation.statistics.decisions import Decisions, Flips
from evaluation.statistics.histogram import EqualError, ScoreHistogram
from evaluation.statistics.identification import Identification, IdentificationRates
from evaluation.statistics.thresholds import threshold_grid
from evaluation.stored.conversion import Converted
from evaluation.trials.pairs import Scorer, Trials

# Shares of targets at which detection costs are taken: NIST's evaluations have used both.
PRIORS = (0.01, 0.05)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One condition: its scores, their errors at thresholds and in draws, and what it finds.

    `threshold` is that of float32, `place` where it is among those of `errors`. `flips` are the
    decisions that are not float32's, `found` the nearest of `queries` recordings.
    """

    trials: Trials
    converted: Converted
    histogram: ScoreHistogram
    equal: EqualError
    equal_of_float32: EqualError
    threshold: float
    errors: GridErrors
    place: int
    flips: Flips
    bootstrap: SpeakerBootstrap
    found: IdentificationRates
    queries: int

    @property
    def fp(self) -> int:
        """Non-target trials that are accepted."""
        return int(self.errors.false_accepts[self.place])

    @property
    def fn(self) -> int:
        """Target trials that are rejected."""
        return int(self.errors.false_rejects[self.place])


class Measurement:
    """What every condition is measured with; the first one is what others are compared with.

    The threshold that the operating point is for the first one holds for all.
    """

    def __init__(
        self,
        trials: Trials,
        identification: Identification,
        *,
        operating_point: OperatingPoint,
        draws: int,
        seed: int,
    ) -> None:
        self._operating_point = operating_point
        self._trials = trials
        self._identification = identification
        self._bootstrap = SpeakerBootstrap(trials, draws=draws, seed=seed)
        self._decisions: Decisions | None = None
        self._equal: EqualError | None = None

    def of(self, converted: Converted, scorer: Scorer, histogram: ScoreHistogram) -> Measured:
        """Return a condition, whose scores the scorer gives and the histogram counts, measured."""
        equal = histogram.equal_error()
        self._equal = self._equal or equal
        decisions = self._decisions or Decisions(self._operating_point.threshold(histogram))
        threshold = decisions.threshold
        flips = Flips(decisions, speakers=self._trials.speakers)
        errors = self._bootstrap.errors(
            scorer,
            threshold_grid(histogram, include=threshold, priors=PRIORS),
            watch=decisions.record if self._decisions is None else flips.add,
        )
        flips.add_others(self._trials.sharing)
        self._decisions = decisions
        return Measured(
            trials=self._trials,
            converted=converted,
            histogram=histogram,
            equal=equal,
            equal_of_float32=self._equal,
            threshold=float(threshold),
            errors=errors,
            place=errors.at(threshold),
            flips=flips,
            bootstrap=self._bootstrap,
            found=self._identification.find(converted.scorer),
            queries=self._identification.queries,
        )
