"""Error rates of a stream of scores, from a histogram fine enough to find the equal error rate."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Bins from 0 to the reach. A power of two, as reaches are, so that placing a float32 score in its
# bin is exact and every bin edge is a float32.
BINS_PER_UNIT = 1 << 19
# The last bin holds scores of the reach and above.
BINS = 2 * BINS_PER_UNIT + 1


def _counts() -> NDArray[np.int64]:
    return np.zeros(BINS, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class EqualError:
    """Where FAR and FRR meet: the rate by linear interpolation inside one histogram bin.

    `threshold` is the bin edge where the two rates differ least, a float32.
    """

    rate: float
    threshold: float


@dataclass(frozen=True, kw_only=True)
class MinimumCost:
    """The least detection cost over all thresholds, and the bin edge where it is reached.

    The cost is that of a miss and of a false alarm, both 1, weighted by the prior of a target and
    divided by the cost of the better of accepting all and rejecting all.
    """

    cost: float
    threshold: float
    far: float
    frr: float


@dataclass(frozen=True)
class ScoreHistogram:
    """Counts of target and non-target scores; bin k holds [edge(k), edge(k + 1)).

    Scores lie in [-reach, reach], or count as if they were at its ends; no cosine is beyond 1.
    Counts at edges within are exact whatever lies beyond them.
    """

    targets: NDArray[np.int64] = field(default_factory=_counts)
    nontargets: NDArray[np.int64] = field(default_factory=_counts)
    reach: int = 1

    def add(self, scores: NDArray[np.float32], *, target: bool) -> None:
        """Count scores. Those below -reach, and -inf, go to the first bin."""
        near = np.clip(scores, -self.reach, self.reach).ravel()
        bins = np.floor(near * np.float32(BINS_PER_UNIT / self.reach)).astype(np.int64)
        counts = self.targets if target else self.nontargets
        counts += np.bincount(bins + BINS_PER_UNIT, minlength=BINS)

    def false_rates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """FAR and FRR with the threshold at each of the BINS + 1 edges."""
        rejected_targets = np.concatenate(([0], np.cumsum(self.targets)))
        rejected_nontargets = np.concatenate(([0], np.cumsum(self.nontargets)))
        far = 1 - rejected_nontargets / rejected_nontargets[-1]
        frr = rejected_targets / rejected_targets[-1]
        return far, frr

    def crossing(self) -> NDArray[np.float32]:
        """Return the two neighbouring edges between which FRR comes to reach FAR."""
        k = self._crossing(*self.false_rates())
        return self._edges(np.array([k - 1, k]))

    @staticmethod
    def _crossing(far: NDArray[np.float64], frr: NDArray[np.float64]) -> int:
        # FRR - FAR climbs from -1 to 1, so there is a first edge, never edge 0, where it is >= 0.
        return int(np.argmax(frr >= far))

    def equal_error(self) -> EqualError:
        """Return the equal error rate and its threshold."""
        far, frr = self.false_rates()
        k = self._crossing(far, frr)
        before, after = far[k - 1] - frr[k - 1], frr[k] - far[k]
        rate = far[k - 1] + (far[k] - far[k - 1]) * before / (before + after)
        return EqualError(
            rate=float(rate),
            threshold=edge(k - 1 if before < after else k, reach=self.reach),
        )

    def minimum_cost(self, prior: float) -> MinimumCost:
        """Return the minimum detection cost where a share `prior` of trials are targets."""
        far, frr = self.false_rates()
        costs = detection_cost(far, frr, prior=prior)
        k = int(np.argmin(costs))
        return MinimumCost(
            cost=float(costs[k]),
            threshold=edge(k, reach=self.reach),
            far=float(far[k]),
            frr=float(frr[k]),
        )

    def coarse(self, *, bins: int) -> "ScoreHistogram":
        """Return the same counts in `bins` equal bins over its reach; `bins` divides BINS - 1."""

        def merged(counts: NDArray[np.int64]) -> NDArray[np.int64]:
            parts: NDArray[np.int64] = counts[:-1].reshape(bins, -1).sum(axis=1)
            parts[-1] += counts[-1]
            return parts

        return ScoreHistogram(merged(self.targets), merged(self.nontargets), self.reach)

    def thresholds_at_far(self, rates: NDArray[np.float64]) -> NDArray[np.float32]:
        """For each rate the lowest edge whose FAR is at most it."""
        far, _ = self.false_rates()
        return self._edges(np.searchsorted(-far, -rates))

    def thresholds_within_frr(self, rates: NDArray[np.float64]) -> NDArray[np.float32]:
        """For each rate the highest edge whose FRR is at most it."""
        _, frr = self.false_rates()
        return self._edges(np.searchsorted(frr, rates, side="right") - 1)

    def thresholds_at_frr(self, rates: NDArray[np.float64]) -> NDArray[np.float32]:
        """For each rate the lowest edge whose FRR is at least it."""
        _, frr = self.false_rates()
        return self._edges(np.searchsorted(frr, rates))

    def _edges(self, k: NDArray[np.int64]) -> NDArray[np.float32]:
        return edges(k, reach=self.reach)


def detection_cost(
    far: NDArray[np.float64], frr: NDArray[np.float64], *, prior: float
) -> NDArray[np.float64]:
    """Return the detection costs of error rates; see `MinimumCost`."""
    return np.asarray((prior * frr + (1 - prior) * far) / min(prior, 1 - prior))


def edges(k: NDArray[np.int64], *, reach: int = 1) -> NDArray[np.float32]:
    """Return the lower edges of bins; k = BINS is the edge above every cosine."""
    return ((k - BINS_PER_UNIT) * reach / BINS_PER_UNIT).astype(np.float32)


def edge(k: int, *, reach: int = 1) -> float:
    """Return the lower edge of bin k."""
    return (k - BINS_PER_UNIT) * reach / BINS_PER_UNIT


def float32_threshold(threshold: float) -> np.float32:
    """Return the smallest float32 that is at least `threshold`.

    A float32 score is at least the one exactly when it is at least the other, so counts at any
    threshold are exact without comparing in float64.
    """
    rounded = np.float32(threshold)
    return rounded if float(rounded) >= threshold else np.nextafter(rounded, np.float32(np.inf))
