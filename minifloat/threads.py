"""Work that is shared out to threads of Python, which a signal ends without a trace."""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

import torch

_NONE_STARTED = ("can't start new thread",)

# torch's own operations wait for ever, in a forked child, for the threads of its parent.
os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what each item gives, found by as many threads as torch uses.

    What a signal's handler raises leaves the call once the items at work are done. Threads are
    started by `_thread`: `threading` is written in Python, and an error that a handler raises in
    it becomes another one.
    """
    threads = min(torch.get_num_threads(), len(items))
    if threads < 2:
        return list(map(work, items))
    # The next of an iterator is taken by one thread, and so is each append of a list seen.
    left = iter(range(len(items)))
    found: dict[int, Result] = {}
    errors: list[BaseException] = []
    over: list[None] = []
    wake: SimpleQueue[None] = SimpleQueue()

    def run() -> None:
        try:
            for index in left:
                if errors:
                    break
                found[index] = work(items[index])
        except BaseException as error:
            errors.append(error)
        over.append(None)
        wake.put(None)

    def wait() -> None:
        while len(over) < started:
            with suppress(Empty):
                wake.get(timeout=1)

    started = 0
    try:
        for _ in range(threads):
            # Python looks for signals after a call, so that no thread is started uncounted.
            started += 1
            _thread.start_new_thread(run, ())
        wait()
    except BaseException as error:
        if error.args == _NONE_STARTED:
            started -= 1
        errors.append(error)
        wait()
        raise
    if errors:
        raise errors[0]
    return [found[index] for index in range(len(items))]
