"""One condition measured: its numbers, each with that of every draw of speakers."""

from dataclasses import dataclass

import numpy as np

from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.statistics.bootstrap import SpeakerBootstrap
from evaluation.statistics.decisions import Decisions, Flips
from evaluation.statistics.estimates import Number
from evaluation.statistics.histogram import ScoreHistogram
from evaluation.statistics.identification import Identification
from evaluation.statistics.thresholds import threshold_grid
from evaluation.stored.conversion import Converted
from evaluation.trials.pairs import Trials

# Shares of targets at which detection costs are taken: NIST's evaluations have used both.
PRIORS = (0.01, 0.05)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The numbers of one condition; `estimates` holds those of `ConditionRow` by name.

    `min_dcf` holds the minimum detection cost by the prior of a target.
    """

    threshold: float
    fp: int
    fn: int
    eer_threshold: float
    flipped_targets: int
    flipped_nontargets: int
    estimates: dict[str, Number]
    min_dcf: dict[float, Number]


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
        self._threshold: np.float32 | None = None
        self._trials = trials
        self._identification = identification
        self._bootstrap = SpeakerBootstrap(trials, draws=draws, seed=seed)
        self._decisions: Decisions | None = None

    def of(self, converted: Converted, histogram: ScoreHistogram) -> Measured:
        """Return the numbers of a condition, whose scores are in the histogram."""
        trials, equal = self._trials, histogram.equal_error()
        if self._threshold is None:
            self._threshold = self._operating_point.threshold(histogram)
        decisions = self._decisions or Decisions(self._threshold)
        flips = Flips(decisions, speakers=trials.speakers)
        errors = self._bootstrap.errors(
            converted.scorer,
            threshold_grid(histogram, include=self._threshold, priors=PRIORS),
            watch=decisions.record if self._decisions is None else flips.add,
        )
        self._decisions = decisions
        place = errors.at(self._threshold)
        fp, fn = int(errors.false_accepts[place]), int(errors.false_rejects[place])
        same = 1 - (flips.targets + flips.nontargets) / (trials.targets + trials.nontargets)
        found = self._identification.find(converted.scorer)
        return Measured(
            threshold=float(self._threshold),
            fp=fp,
            fn=fn,
            eer_threshold=equal.threshold,
            flipped_targets=flips.targets,
            flipped_nontargets=flips.nontargets,
            estimates={
                "far": Number(value=fp / trials.nontargets, draws=errors.far_draws[place]),
                "frr": Number(value=fn / trials.targets, draws=errors.frr_draws[place]),
                "eer": Number(value=equal.rate, draws=errors.equal_error_draws()),
                "same_decision": Number(value=same, draws=flips.same_draws(self._bootstrap)),
                "top1": Number(value=found.top1, draws=found.top1_draws),
                "top5": Number(value=found.top5, draws=found.top5_draws),
                "recall10": Number(value=found.recall10, draws=found.recall10_draws),
            },
            min_dcf={
                prior: Number(
                    value=histogram.minimum_cost(prior).cost,
                    draws=errors.minimum_cost_draws(prior),
                )
                for prior in PRIORS
            },
        )
