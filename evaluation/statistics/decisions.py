"""Which decisions a format changes: accepted in float32 and rejected now, or the reverse."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from evaluation.command.sharing import Sharing
from evaluation.statistics.bootstrap import SpeakerBootstrap
from evaluation.trials.pairs import Batch


class Decisions:
    """The decisions of float32 at a threshold, a bit for each trial in the order of the batches."""

    def __init__(self, threshold: np.float32) -> None:
        self.threshold = threshold
        self._accepted: list[NDArray[np.uint8]] = []

    def record(self, batch: Batch) -> None:
        """Keep the decisions of the next batch."""
        self._accepted.append(np.packbits(batch.scores >= self.threshold))

    def accepted(self, place: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return the decisions of a batch, by its place among the batches."""
        count = int(np.prod(shape))
        bits = np.unpackbits(self._accepted[place], count=count)
        return bits.view(np.bool_).reshape(shape)


class Flips:
    """The trials that are decided otherwise than in float32, counted by speakers."""

    def __init__(self, reference: Decisions, *, speakers: int) -> None:
        self._reference = reference
        self._speakers = speakers
        self._place = 0
        self._by_target = np.zeros(speakers, np.int64)
        self._by_pair: Counter[int] = Counter()

    def add(self, batch: Batch) -> None:
        """Compare the next batch. Batches come as those of float32 came."""
        before = self._reference.accepted(self._place, batch.scores.shape)
        self._place += 1
        flipped = before != (batch.scores >= self._reference.threshold)
        left, right = (
            np.broadcast_to(speaker, batch.scores.shape)[flipped].astype(np.int64)
            for speaker in (batch.left, batch.right)
        )
        if batch.target:
            self._by_target += np.bincount(left, minlength=self._speakers)
        else:
            pairs, counts = np.unique(left * self._speakers + right, return_counts=True)
            self._by_pair.update(dict(zip(pairs.tolist(), counts.tolist(), strict=True)))

    def add_others(self, sharing: Sharing) -> None:
        """Count what other ranks have counted, too, once all batches were compared."""
        (self._by_target,) = sharing.summed(self._by_target)
        self._by_pair = sum(sharing.each(lambda: self._by_pair), Counter())

    @property
    def targets(self) -> int:
        """Trials of one speaker that are decided otherwise."""
        return int(self._by_target.sum())

    @property
    def nontargets(self) -> int:
        """Trials of different speakers that are decided otherwise."""
        return self._by_pair.total()

    def same_draws(self, bootstrap: SpeakerBootstrap) -> NDArray[np.float64]:
        """Return for each draw of speakers the share of trials that are decided as in float32."""
        return 1 - bootstrap.share_draws(self._by_target, self._by_pair)
