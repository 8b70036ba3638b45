"""Work in a thread of its own, while ranks go on in step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

# Whether nobody waits any more.
IsOver: TypeAlias = Callable[[], bool]


# Seconds between two looks at whether it has ended.
_LOOK = 0.1


class Meanwhile:
    """One call, which is told where nobody waits for it any more, and should end then."""

    def __init__(self, work: Callable[[IsOver], None]) -> None:
        """Begin."""
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()

    def is_done(self, seconds: float = 0.0) -> bool:
        """Return whether it has ended, within so many seconds; raise what it has raised."""
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def end(self) -> None:
        """Have it end, and wait until it has."""
        self._over.set()
        self._thread.join()

    def waiting(self) -> Iterator[int]:
        """Yield 0, again and again, until it has ended."""
        while not self.is_done(_LOOK):
            yield 0

    def __enter__(self) -> Meanwhile:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Have it end."""
        self.end()

    def _run(self, work: Callable[[IsOver], None]) -> None:
        try:
            work(self._over.is_set)
        except BaseException as error:
            self._error = error


def done(call: Callable[[], object]) -> Iterator[int]:
    """Have a call be made in a thread, and yield 0, again and again, until it has ended."""

    def work(_: IsOver) -> None:
        call()

    with Meanwhile(work) as one:
        yield from one.waiting()
