"""Ranks of a study, as a launcher starts them, each a process of its own."""

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

# Small batches, so that every rank has some of a small file, and maps that take no minute.
STUDY = """
import sys
import numpy as np
import evaluation.statistics.identification as identification
import evaluation.stored.scorers as scorers
import evaluation.trials.pairs as pairs
from evaluation.__main__ import main

pairs.BATCH = pairs.PAIR_VALUES = 300
scorers.BATCH, identification.PART = 90, 7
if sys.argv[1] == "separation":
    from evaluation.separation import run, study
    run.required_umap = lambda: None
    study.speaker_map = lambda rows, options: rows @ np.eye(rows.shape[1], 2, dtype=np.float32)
"""
RUN = "sys.exit(main(sys.argv[1:]))"
# Longer than any of them takes, even where many tests run at once.
SECONDS = 240
# What takes long to import is imported once for all tests, and each rank is forked.
LAUNCHER = """
import json, os, signal, sys, traceback
import evaluation.bitdepth.run, evaluation.separation.run

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
            sys.argv = ["study", *rank["arguments"]]
            exec(program, {"__name__": "study"})
            status = 0
        except SystemExit as end:
            status = end.code
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in waiting]
    print(json.dumps(ended), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a rank has ended, and what it has printed."""

    status: int
    out: str
    err: str


def launch(
    count: int, program: str, arguments: Sequence[str] = (), *, folders: Sequence[Path]
) -> list[Ended]:
    """Return how each of `count` ranks has ended, each in its folder."""
    with socket.socket() as free, TemporaryDirectory() as printed:
        free.bind(("127.0.0.1", 0))
        common = {
            "WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free.getsockname()[1]),
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
        given, told = _launcher()
        given.write(json.dumps([program, *ranks]) + "\n")
        given.flush()
        return [
            Ended(status, out.read_text(), err.read_text())
            for status, (out, err) in zip(json.loads(told.readline()), texts, strict=True)
        ]


@cache
def _launcher() -> tuple[IO[str], IO[str]]:
    """Return where a process is told which ranks to start, and where it tells how they ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER],
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
