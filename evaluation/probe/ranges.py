"""The range of the numbers at each stage of a model, for a synthetic signal or for clips."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.extractors import Extractor, StagedExtractor
from evaluation.extractors.extractor import EMBEDDING, VECTORS
from evaluation.recordings.audio import SAMPLE_RATE, Waveform

SECONDS = 2
# Samples of one period of the square wave: 125 Hz, a pitch that a voice can have, and no divisor of
# the 160 samples between two frames, which would make all frames alike.
PERIOD = 128


@dataclass(frozen=True, kw_only=True)
class Range:
    """Statistics of all values at one stage; `values` counts them.

    The squares of the deviation are divided by one less than their number; one value has none.
    """

    largest: float
    smallest: float
    mean: float
    deviation: float
    values: int


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What a model makes of some clips: ranges by stage, and the vectors by stage.

    Stages are in the order in which the model makes them. `vectors` has no features. `taken` is
    one of the clips.
    """

    clips: int
    taken: Waveform
    ranges: dict[str, Range]
    vectors: dict[str, NDArray[np.float32]]


class RefusedError(ValueError):
    """A model takes none of the clips."""


def published_signal() -> Waveform:
    """Return the signal of the published study: two samples of +1, then one of -1, for 2 s."""
    return np.resize(np.array([1, 1, -1], np.float32), SECONDS * SAMPLE_RATE)


def square_wave() -> Waveform:
    """Return 2 s of a square wave between -1 and +1."""
    place = np.arange(SECONDS * SAMPLE_RATE) % PERIOD
    return np.where(place < PERIOD // 2, 1, -1).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A synthetic signal: what reports call it, what it is, and the waveform."""

    name: str
    told: str
    waveform: Callable[[], Waveform]


# By what the command line calls them.
SIGNALS: Mapping[str, Signal] = {
    "published": Signal(
        name="published signal",
        told=f"two samples of +1, then one of -1, for {SECONDS} s",
        waveform=published_signal,
    ),
    "square": Signal(
        name="square wave",
        told=f"between -1 and +1, {PERIOD} samples a period, for {SECONDS} s",
        waveform=square_wave,
    ),
}


def stages_of(extractor: Extractor, clip: Waveform) -> dict[str, NDArray[np.float32]]:
    """Return the stages that a model shows of a clip: the embedding alone where it shows none."""
    if isinstance(extractor, StagedExtractor):
        return extractor.stages(clip)
    return {EMBEDDING: extractor.embed([clip])[0]}


def probed(extractor: Extractor, clips: Iterable[Waveform]) -> Probed:
    """Return what a model makes of clips; RefusedError, with its reason, where it takes none."""
    sums: dict[str, _Sums] = {}
    vectors: dict[str, list[NDArray[np.float32]]] = {}
    taken: list[Waveform] = []
    count, refused = 0, "there is none"
    for clip in clips:
        try:
            stages = stages_of(extractor, clip)
        except ValueError as error:
            # Some models look for speech in a clip first.
            refused = str(error)
            continue
        count += 1
        taken = taken or [clip]
        for stage, values in stages.items():
            sums.setdefault(stage, _Sums()).add(values)
            if stage in VECTORS:
                # Windows of one clip each have a vector in some models.
                vectors.setdefault(stage, []).append(values.reshape(-1, values.shape[-1]))
    if not taken:
        raise RefusedError(refused)
    return Probed(
        clips=count,
        taken=taken[0],
        ranges={stage: one.range() for stage, one in sums.items()},
        vectors={stage: np.concatenate(rows) for stage, rows in vectors.items()},
    )


class _Sums:
    """The statistics of values that are never held together."""

    def __init__(self) -> None:
        self._largest, self._smallest = -np.inf, np.inf
        self._count, self._sum, self._squares = 0, 0.0, 0.0

    def add(self, values: NDArray[np.float32]) -> None:
        wide = values.astype(np.float64)
        self._largest = max(self._largest, float(wide.max()))
        self._smallest = min(self._smallest, float(wide.min()))
        self._count += wide.size
        self._sum += float(wide.sum())
        self._squares += float((wide**2).sum())

    def range(self) -> Range:
        mean = self._sum / self._count
        squares = max(0.0, self._squares - self._count * mean**2)
        return Range(
            largest=self._largest,
            smallest=self._smallest,
            mean=mean,
            deviation=float(np.sqrt(squares / (self._count - 1))) if self._count > 1 else np.nan,
            values=self._count,
        )
