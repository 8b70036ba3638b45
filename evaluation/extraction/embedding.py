"""Batches of recordings through a model, what fails in them kept apart."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor
from evaluation.recordings.audio import Audio, UnreadableError, read_audio
from evaluation.recordings.found import Recording

# Decoding waits for disks and runs without Python's lock.
READERS = 4
BATCHES_AHEAD = 2

Reading = tuple[Recording, Future[Audio]]


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """The row of a recording, and how long it is."""

    row: NDArray[np.float32]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Why a recording has no row, and whether it was read but the model gave none."""

    reason: str
    by_model: bool


def read_ahead(batches: Iterable[Sequence[Recording]]) -> Iterator[list[Reading]]:
    """Batches in order; while one is in use, the next ones are read."""
    waiting: deque[list[Reading]] = deque()
    readers = ThreadPoolExecutor(READERS)
    try:
        for batch in batches:
            waiting.append([(one, readers.submit(read_audio, one.path)) for one in batch])
            if len(waiting) > BATCHES_AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        readers.shutdown(cancel_futures=True)


def embed(
    extractor: Extractor, batch: Sequence[Reading]
) -> Iterator[tuple[Recording, Embedded | Failed]]:
    """For each recording its row, or the reason why there is none."""
    read: list[tuple[Recording, Audio]] = []
    for recording, reading in batch:
        try:
            read.append((recording, reading.result()))
        except UnreadableError as error:
            yield recording, Failed(reason=str(error), by_model=False)
    rows = _rows(extractor, [audio for _, audio in read])
    for (recording, audio), row in zip(read, rows, strict=True):
        if isinstance(row, Failed):
            yield recording, row
        elif not np.isfinite(row).all():
            reason = "has an embedding that is not finite"
            yield recording, Failed(reason=reason, by_model=True)
        else:
            yield recording, Embedded(row=row, seconds=audio.seconds)


def _rows(extractor: Extractor, clips: Sequence[Audio]) -> list[NDArray[np.float32] | Failed]:
    if not clips:
        return []
    try:
        return list(extractor.embed([clip.waveform for clip in clips]))
    except InputError:
        raise
    # Libraries raise what they like: a clip that is too short must not cost its whole batch.
    except Exception as error:
        if len(clips) == 1:
            reason = f"cannot be embedded: {error or type(error).__name__}"
            return [Failed(reason=reason, by_model=True)]
        return [row for clip in clips for row in _rows(extractor, [clip])]
