"""Builds in forked processes that are killed, and are run again until an index is there.

A program of its own: nothing has used threads when it forks. Arguments: a folder, and what to do.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from minifloat.distributed import RankError, build_index
from minifloat.index import Index
from minifloat.index.catalog.connection import Connection

DIM, ROWS, FORMAT = 16, 140_000, "e2m1"

# Exit codes of processes that others have left, and that have no index.
LEFT, ABSENT = 3, 4

# What changes the disk: functions by the modules and classes that have them.
_CHANGES = [
    *((os, name) for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync", "pwrite")),
    *((Connection, name) for name in ("run", "run_many")),
]


def sources(folder: Path) -> list[Path]:
    """Return files of rows, written where they are not there."""
    files = [folder / f"{number}.npy" for number in range(3)]
    if not files[0].exists():
        x = np.random.default_rng(3).standard_normal((ROWS, DIM)).astype(np.float32)
        for file, some in zip(files, np.split(x, [70_000, 70_010]), strict=True):
            np.save(file, some)
    return files


def built(path: Path, files: list[Path], **how: Any) -> None:
    """Build the index."""
    assert build_index(path, files, FORMAT, **how) == ROWS


def sum_of(path: Path) -> None:
    """Print a sum of all that an index holds; exit where there is none."""
    if not path.exists():
        sys.exit(ABSENT)
    with Index.open(path, verify=True) as index:
        assert index.check() == []
        (rows,) = index.batches(ROWS)
        found = zlib.crc32(rows.vectors.codes.numpy().tobytes())
        print(len(index), index.version, zlib.crc32(rows.ids.numpy().tobytes(), found))
    assert [name for name in os.listdir(path) if name == "plan.json"] == []


def counted(kill_at: int | None) -> list[int]:
    """Count calls that change the disk from here on, and die before one of them."""
    calls = [0]

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def one(*given: Any, **named: Any) -> Any:
            if calls[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            calls[0] += 1
            return call(*given, **named)

        return one

    for place, name in _CHANGES:
        setattr(place, name, wrapped(getattr(place, name)))
    return calls


def forked(call: Callable[[], object]) -> int:
    """Make a call in a process of its own; return that."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        call()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(process: int) -> int:
    """Return the exit code of a process, or the signal that ended it, below 0."""
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def at_each_call(folder: Path, first: int, step: int) -> None:
    """Kill builds, each before another call that changes the disk, and go on from there."""
    files = sources(folder)
    read, write = os.pipe()

    def once() -> None:
        calls = counted(None)
        built(folder / "whole", files)
        os.write(write, str(calls[0]).encode())

    assert ended(forked(once)) == 0
    total = int(os.read(read, 99))
    assert ended(forked(lambda: sum_of(folder / "whole"))) == 0
    for kill_at in range(first, total, step):
        path = folder / f"index-{kill_at}"

        def killed(path: Path = path, kill_at: int = kill_at) -> None:
            counted(kill_at)
            built(path, files)

        # How often a log is looked at may differ, and with it the number of calls.
        assert ended(forked(killed)) in (-signal.SIGKILL, 0)
        if not path.exists():
            assert ended(forked(lambda path=path: built(path, files))) == 0  # type: ignore[misc]
        assert ended(forked(lambda path=path: sum_of(path))) == 0  # type: ignore[misc]
    assert [name for name in os.listdir(folder) if name.startswith(".")] == []


def at_any_time(folder: Path, seed: int, kills: int) -> None:
    """Kill one or all of several ranks at any time, again and again."""
    files, rng = sources(folder), random.Random(seed)
    assert ended(forked(lambda: built(folder / "whole", files))) == 0
    assert ended(forked(lambda: sum_of(folder / "whole"))) == 0
    number, took = 0, 1.0
    while kills:
        path, number = folder / f"index-{number}", number + 1
        while not path.exists():
            ranks = rng.choice([2, 3])
            begun = time.monotonic()
            processes = _group(folder, path, files, ranks)
            is_killed = kills > 0 and rng.random() < 0.7
            if is_killed:
                time.sleep(rng.uniform(0, took))
                kills -= 1
                for process in rng.choice([processes, [rng.choice(processes)]]):
                    os.kill(process, signal.SIGKILL)
            codes = [ended(process) for process in processes]
            if is_killed:
                assert {*codes} <= {-signal.SIGKILL, LEFT, 0}, codes
            else:
                took = time.monotonic() - begun
                assert {*codes} == {0}, codes
        assert ended(forked(lambda path=path: sum_of(path))) == 0  # type: ignore[misc]
    assert [name for name in os.listdir(folder) if name.startswith(".")] == []


def _group(folder: Path, path: Path, files: list[Path], ranks: int) -> list[int]:
    """Return processes that build an index together."""
    store = folder / f"store-{time.monotonic_ns()}"

    def rank(number: int) -> None:
        try:
            dist.init_process_group(
                "gloo", init_method=f"file://{store}", rank=number, world_size=ranks
            )
            built(path, files, timeout=20)
        except (RankError, RuntimeError):
            sys.exit(LEFT)

    return [forked(lambda number=number: rank(number)) for number in range(ranks)]  # type: ignore[misc]


if __name__ == "__main__":
    torch.set_num_threads(1)
    assert sqlite3.threadsafety
    doing = {"calls": at_each_call, "time": at_any_time}[sys.argv[2]]
    doing(Path(sys.argv[1]), *map(int, sys.argv[3:]))
