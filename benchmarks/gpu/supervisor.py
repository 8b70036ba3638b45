"""Runs a worker, and another one where it hangs or dies: that costs the item it was at, no more."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue
from time import monotonic
from typing import IO, Any

from benchmarks.gpu.telling import Task, event_of, write_task

NO_TIME = "no time was left"

# How long a process that was killed is waited for: one that hangs in a driver may stay.
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class Worker:
    """A command that does items, and the seconds that its start and each item may take."""

    command: Sequence[str]
    start_seconds: float
    item_seconds: float
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Listener:
    """Who hears of a worker: its lines for people, its events, the items that it could not end."""

    line: Callable[[str], None]
    event: Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class _Ending:
    """Why a process ended, None where all is done; the item it was at; whether others may go on."""

    why: str | None
    item: str | None
    goes_on: bool


def supervise(
    worker: Worker, done: Collection[str], until: float, listener: Listener
) -> str | None:
    """Return why items are left undone, or None where none is.

    After `until`, by the monotonic clock, nothing begins, and what runs is stopped and left undone.
    An item at which a process ends otherwise is told to the listener as one that failed.
    """
    done = set(done)
    while monotonic() < until:
        ending = _run(worker, done, until, listener)
        if ending.item is not None:
            record = {"failures": {"all": ending.why}}
            listener.event({"end": ending.item, "record": record})
            done.add(ending.item)
        if not ending.goes_on:
            return ending.why
    return NO_TIME


def _run(worker: Worker, done: set[str], until: float, listener: Listener) -> _Ending:
    """Run one process to its end; the items that it ends are added to those done."""
    # Not as a context, which would wait for ever for one that a driver does not let go.
    process = subprocess.Popen(
        worker.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **worker.environment},
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdin
    try:
        with suppress(BrokenPipeError):
            write_task(process.stdin, Task(frozenset(done), until - monotonic()))
            process.stdin.close()
        return _listen(process, worker, done, until, listener)
    finally:
        _kill(process)


def _listen(
    process: subprocess.Popen[str],
    worker: Worker,
    done: set[str],
    until: float,
    listener: Listener,
) -> _Ending:
    assert process.stdout
    lines: Queue[str | None] = Queue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    item: str | None = None
    begin, limit = monotonic(), worker.start_seconds
    is_done, has_ended = False, False
    while True:
        try:
            line = lines.get(timeout=max(0.0, min(begin + limit, until) - monotonic()))
        except Empty:
            if monotonic() >= until:
                return _Ending(NO_TIME, None, False)
            # What hangs before the first item will hang again.
            why = f"stopped after {monotonic() - begin:.0f} s"
            return _Ending(why, item, item is not None or has_ended)
        if line is None:
            break
        event = event_of(line)
        if event is None:
            if line:
                listener.line(line)
            continue
        if "begin" in event:
            item, begin, limit = event["begin"], monotonic(), worker.item_seconds
        elif "end" in event:
            done.add(event["end"])
            item, begin, limit = None, monotonic(), worker.start_seconds
            has_ended = True
        is_done |= "done" in event
        listener.event(event)
    status = process.wait()
    if is_done and status == 0:
        return _Ending(None, None, False)
    # A process that told of the item that killed its device leaves the others to the next one.
    return _Ending(_said(status), item, item is not None or has_ended)


def _read(output: IO[str], lines: Queue[str | None]) -> None:
    """Put the lines of a process into a queue, and None when nobody writes any more."""
    with output:
        for line in output:
            lines.put(line.rstrip("\n"))
    lines.put(None)


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_KILL_SECONDS)


def _said(status: int) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"
