"""Ranks of a study, as a launcher starts them, each a process of its own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

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
# What takes long to import is imported once, and each rank is forked.
LAUNCHER = """
import json, os, sys, traceback
import evaluation.bitdepth.run, evaluation.separation.run

program, *ranks = json.loads(sys.stdin.read())
waiting = []
for rank in ranks:
    child = os.fork()
    if child:
        waiting.append(child)
        continue
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
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in waiting])
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
            }
            for rank, (out, err) in enumerate(texts)
        ]
        done = subprocess.run(
            [sys.executable, "-c", LAUNCHER],
            input=json.dumps([program, *ranks]),
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
        return [
            Ended(status, out.read_text(), err.read_text())
            for status, (out, err) in zip(json.loads(done.stdout), texts, strict=True)
        ]
