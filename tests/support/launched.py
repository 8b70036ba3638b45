"""Programs in Python that run as ranks of one group, as launchers start them.

What takes long to import is imported once for all tests of a kind, and each rank is forked.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from tests.support.paths import ROOT

# Longer than any of them takes, even where many tests run at once.
SECONDS = 240

_LAUNCHER = """
import atexit, importlib, json, os, signal, sys, traceback

for module in sys.argv[1:]:
    importlib.import_module(module)
for line in sys.stdin:
    program, *ranks = json.loads(line)
    waiting = []
    for rank in ranks:
        child = os.fork()
        if child:
            waiting.append(child)
            continue
        signal.alarm(rank["seconds"])
        status = 1
        try:
            os.environ.update(rank["environment"])
            os.chdir(rank["folder"])
            for descriptor, name in ((1, rank["out"]), (2, rank["err"])):
                os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY), descriptor)
            sys.argv = ["program", *rank["arguments"]]
            exec(program, {"__name__": "program"})
            status = 0
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            traceback.print_exc()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in waiting]
    print(json.dumps(ended), flush=True)
"""

_GROUP = """
import atexit, os, sys
import torch.distributed as dist
if os.environ["WORLD_SIZE"] != "1":
    dist.init_process_group("gloo")
    atexit.register(dist.destroy_process_group)
"""


@dataclass(frozen=True)
class Ended:
    """How a rank has ended, below 0 by which signal, and what it has printed."""

    status: int
    out: str
    err: str


def launched(program: str, ranks: int, arguments: Sequence[str] = ()) -> list[Ended]:
    """Return how each of so many ranks of a gloo group has ended; one process has no group."""
    modules = "minifloat.distributed", "tests.distributed.searched"
    return launch(ranks, _GROUP + program, arguments, folders=[Path.cwd()], modules=modules)


def launch(
    count: int,
    program: str,
    arguments: Sequence[str] = (),
    *,
    folders: Sequence[Path],
    modules: Sequence[str],
) -> list[Ended]:
    """Return how each of `count` ranks has ended, each in its folder, in their order.

    modules: what is imported before they are forked.
    """
    with socket.socket() as free, TemporaryDirectory() as printed:
        free.bind(("127.0.0.1", 0))
        common = {
            "WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free.getsockname()[1]),
            "GLOO_SOCKET_IFNAME": "lo",
        }
        free.close()
        texts = [
            [Path(printed, f"{rank}{end}") for end in (".out", ".err")] for rank in range(count)
        ]
        ranks = [
            {
                "environment": common | {"RANK": str(rank)},
                "folder": str(folders[rank % len(folders)]),
                "out": str(out),
                "err": str(err),
                "arguments": [*arguments],
                "seconds": SECONDS,
            }
            for rank, (out, err) in enumerate(texts)
        ]
        given, told = _launcher(*modules)
        given.write(json.dumps([program, *ranks]) + "\n")
        given.flush()
        return [
            Ended(status, out.read_text(), err.read_text())
            for status, (out, err) in zip(json.loads(told.readline()), texts, strict=True)
        ]


@cache
def _launcher(*modules: str) -> tuple[IO[str], IO[str]]:
    """Return where a process is told which ranks to start, and where it tells how they ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, *modules],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # It ends with its input.
    atexit.register(process.communicate)
    return process.stdin, process.stdout
