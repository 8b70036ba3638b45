"""What a worker tells the process that started it: a line of its output for each event.

A worker does items one after the other. It is told on its input what is done already.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any, NamedTuple, NoReturn

# Begins the lines that are events; all others are for people.
MARK = "\x1e"

# The exit status of a worker whose device is of no more use to it.
DEAD_DEVICE = 75


class Task(NamedTuple):
    """What a worker is asked for: all items but those that are done, in so many seconds."""

    done: frozenset[str]
    seconds: float


def write_task(to: IO[str], task: Task) -> None:
    """Tell a worker what to do."""
    json.dump({"done": sorted(task.done), "seconds": task.seconds}, to)


def read_task() -> Task:
    """Return what the worker is to do."""
    found = json.load(sys.stdin)
    return Task(frozenset(found["done"]), found["seconds"])


def tell_plan(items: Sequence[str]) -> None:
    """Tell which items there are, less those that are done."""
    _tell(plan=list(items))


def tell_begin(item: str) -> None:
    """Tell that an item begins: its time limit starts here."""
    _tell(begin=item)


def tell_end(item: str, record: Mapping[str, Any]) -> None:
    """Tell what an item has found; `failures` are by name, and none where all went well."""
    _tell(end=item, record=dict(record))


def tell_facts(facts: Mapping[str, Any]) -> None:
    """Tell what all items were done on."""
    _tell(facts=dict(facts))


def tell_all_done() -> None:
    """Tell that nothing is left to do."""
    _tell(done=True)


def leave() -> NoReturn:
    """End at once, with no destructor that would meet a dead device."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(DEAD_DEVICE)


def event_of(line: str) -> dict[str, Any] | None:
    """Return the event of a line, or None where it is for people."""
    if not line.startswith(MARK):
        return None
    event: dict[str, Any] = json.loads(line[len(MARK) :])
    return event


def _tell(**event: object) -> None:
    # What a library has printed without a line's end does not hide the mark.
    print(f"\n{MARK}{json.dumps(event)}", flush=True)
