"""Processes of this machine that are the ranks of one gloo group."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_PROGRAM = "benchmarks.scale.worker"


def launched(work: str, ranks: int, given: dict[str, Any]) -> dict[str, Any]:
    """Return what rank 0 says of a piece of work; RuntimeError where a rank ends with an error.

    Each rank has one thread until it takes more.
    """
    environment = os.environ | {
        "WORLD_SIZE": str(ranks),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    asked = json.dumps(given | {"work": work, "launched": time.time()})
    processes: list[subprocess.Popen[str]] = []
    try:
        for rank in range(ranks):
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", _PROGRAM, asked],
                    env=environment | {"RANK": str(rank)},
                    stdout=subprocess.PIPE if rank == 0 else subprocess.DEVNULL,
                    text=True,
                )
            )
        said, _ = processes[0].communicate()
        codes = [process.wait() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    if any(codes):
        raise RuntimeError(f"all ranks must end with 0; they ended with {codes}")
    found: dict[str, Any] = json.loads(said)
    return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
