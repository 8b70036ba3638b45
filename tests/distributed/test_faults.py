"""Ranks that are killed or stop are named to all others, in time, and no answer is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.distributed.databases import write_files
from tests.support.paths import ROOT


@pytest.mark.parametrize(("trials", "seed"), [(6, 1), pytest.param(50, 2, marks=pytest.mark.long)])
def test_lost_ranks_are_named_in_time(tmp_path: Path, trials: int, seed: int) -> None:
    write_files(tmp_path, "e2m1")
    command = [sys.executable, "-m", "tests.distributed.faulty", str(tmp_path)]
    ended = subprocess.run(
        [*command, str(trials), str(seed)], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    *errors, last = map(json.loads, ended.stdout.splitlines())
    assert errors == [], ended.stderr
    assert last == {"trials": trials, "wrong": 0}


RESTARTED = """
import os, signal, sys
import torch.distributed as dist
from minifloat import distributed as ranks_of
from tests.distributed.databases import rows
dist.init_process_group("gloo")
with ranks_of.open_shard(sys.argv[1], timeout=60) as shard:
    first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    if first and shard.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    found = ranks_of.search(rows(3, seed=1), shard, 2)
    if shard.rank == 0:
        print("found", found.rows.tolist(), "first" if first else "again", flush=True)
dist.destroy_process_group()
"""


def test_ranks_that_were_started_again_go_on(tmp_path: Path) -> None:
    write_files(tmp_path, "e2m1")
    program = tmp_path / "restarted.py"
    program.write_text(RESTARTED)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--max-restarts=1"]
    command = [*launch, "--nproc-per-node=2", str(program), str(tmp_path / "many")]
    ended = subprocess.run(
        command, cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    assert [line.split()[-1] for line in ended.stdout.splitlines()] == ["again"]


def _environment() -> dict[str, str]:
    # A store that is kept has gloo look for the processes that were there before, as
    # docs/performance/scale.md tells.
    alone = {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    return os.environ | alone | {"PYTHONPATH": str(ROOT)}
