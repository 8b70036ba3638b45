"""Programs in Python that run as ranks of one group, as launchers start them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from tests.support.paths import ROOT

# Seconds that a group may take; its ranks are killed then.
LONGEST = 300.0

_GROUP = """
import atexit, os, sys
import torch.distributed as dist
if os.environ["WORLD_SIZE"] != "1":
    dist.init_process_group("gloo")
    atexit.register(dist.destroy_process_group)
"""


class Ended(NamedTuple):
    """What became of a rank: its exit code, below 0 the signal, and what it wrote."""

    code: int
    out: str
    err: str


@contextmanager
def started(
    program: str, ranks: int, arguments: Sequence[str] = ()
) -> Iterator[list[subprocess.Popen[str]]]:
    """Yield processes that run a program, each a rank of a gloo group; none outlives the block.

    One process has no group.
    """
    environment = os.environ | {
        "WORLD_SIZE": str(ranks),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", _GROUP + program, *arguments]
    processes: list[subprocess.Popen[str]] = []
    try:
        for rank in range(ranks):
            processes.append(
                subprocess.Popen(
                    command,
                    env=environment | {"RANK": str(rank)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        yield processes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.communicate()


def launched(
    program: str, ranks: int, arguments: Sequence[str] = (), *, timeout: float = LONGEST
) -> list[Ended]:
    """Run a program as so many ranks of a group; return what became of each, in their order."""
    with started(program, ranks, arguments) as processes, ThreadPoolExecutor(ranks) as waiting:
        return [*waiting.map(partial(ended, timeout=timeout), processes)]


def ended(process: subprocess.Popen[str], timeout: float = LONGEST) -> Ended:
    """Wait until a process ends, and return what became of it."""
    out, err = process.communicate(timeout=timeout)
    return Ended(process.returncode, out, err)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
