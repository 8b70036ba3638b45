"""How far an extraction is, for those who watch and for logs."""

import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

# Seconds between two lines of a log.
INTERVAL = 30


class Progress:
    """A bar with rate and time left; where nobody watches, a line of the same now and then."""

    def __init__(self, *, total: int, done: int) -> None:
        self._total, self._before, self._count = total, done, done
        self._start = self._last = time.monotonic()
        self._bar = tqdm(total=total, initial=done, unit=" recordings", disable=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def advance(self, recordings: int) -> None:
        """Count so many more recordings as done."""
        self._bar.update(recordings)
        self._count += recordings
        now = time.monotonic()
        if self._bar.disable and now - self._last >= INTERVAL:
            self._last = now
            print(self.line(now - self._start), file=sys.stderr, flush=True)

    def line(self, elapsed: float) -> str:
        """Return what is done after so many seconds, the rate, and the time left."""
        rate = (self._count - self._before) / elapsed
        left = tqdm.format_interval((self._total - self._count) / rate) if rate else "unknown"
        return f"{self._count} of {self._total} recordings, {rate:.1f} a second, {left} left"
