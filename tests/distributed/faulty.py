"""Ranks that are killed or stopped while they search: run as a program, trial by trial.

Each trial's ranks are forked from a process that has loaded everything, so that it takes a second.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

import minifloat as mf
from minifloat import distributed as ranks_of
from minifloat.distributed import RankError, open_shard
from tests.distributed.databases import rows

# Seconds: that ranks wait for each other, that a trial begins within, and that one may take.
TIMEOUT, LATEST, LONGEST = 8.0, 0.4, 60.0

# Queries, and what one process finds.
SEEDS, COUNTS = (0, 1, 2, 3), (1, 5, 1500)
EXPECTED: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}


def main() -> int:
    """Print a line of JSON for each trial that went wrong, and how many there were."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("trials", type=int)
    parser.add_argument("seed", type=int)
    given = parser.parse_args()
    torch.set_num_threads(1)
    packed = mf.PackedVectors.load(given.folder / "one.safetensors")
    for seed, count in product(SEEDS, COUNTS):
        EXPECTED[seed, count] = mf.search(rows(count, seed=seed), packed, 5)
    chance, wrong = random.Random(given.seed), 0
    for number in range(given.trials):
        errors = _trial(given.folder, chance)
        for error in errors:
            print(json.dumps({"trial": number, "error": error}), flush=True)
        wrong += bool(errors)
    print(json.dumps({"trials": given.trials, "wrong": wrong}))
    return 1 if wrong else 0


def _trial(folder: Path, chance: random.Random) -> list[str]:
    """Kill or stop a rank at a random time; return what was wrong with what the others did."""
    count, how = chance.choice([2, 3, 4]), chance.choice([signal.SIGKILL, signal.SIGSTOP])
    victim, after = chance.randrange(count), chance.random() * LATEST
    seed = chance.randrange(1 << 30)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    told, pipes, children = time.monotonic(), [], []
    for rank in range(count):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _rank(folder, rank, count, port, write, seed)
        os.close(write)
        pipes.append(os.fdopen(read))
        children.append(child)
    try:
        for pipe in pipes:
            assert pipe.readline() == "begun\n"
        time.sleep(after)
        os.kill(children[victim], how)
        told = time.monotonic()
        said = [json.loads(pipe.readline()) for i, pipe in enumerate(pipes) if i != victim]
        late = time.monotonic() - told
        what = f"{how.name} of rank {victim} of {count} after {after:.3f} s"
        errors = [f"{what}: rank told {one}" for one in said if one["rank"] != victim]
        errors += [f"{what}: {one['wrong']} wrong answers" for one in said if one["wrong"]]
        # Processors may be busy with other tests.
        if late > TIMEOUT + 4:
            errors.append(f"{what}: told after {late:.1f} s")
        return errors
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for pipe in pipes:
            pipe.close()


def _rank(folder: Path, rank: int, count: int, port: int, write: int, seed: int) -> None:
    """Search until another rank is lost; tell which, and how many answers were wrong."""
    try:
        signal.alarm(int(LONGEST))
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ |= {"GLOO_SOCKET_IFNAME": "lo"}
        dist.init_process_group("gloo", rank=rank, world_size=count)
        shard = open_shard(folder / "many", timeout=TIMEOUT)
        out = os.fdopen(write, "w")
        found = _searched(shard, random.Random(seed), out)
        out.write(json.dumps(found) + "\n")
        out.flush()
        # The one that tells all others must not be the first to leave.
        time.sleep(LONGEST)
    finally:
        os._exit(1)


def _searched(shard: Any, chance: random.Random, out: Any) -> dict[str, Any]:
    wrong = answers = 0
    for step in range(1 << 30):
        # All ranks draw the same.
        seed, count = chance.choice(SEEDS), chance.choice(COUNTS)
        q = rows(count, seed=seed)
        src, dst = chance.choice([None, 0, 1]), chance.choice([None, 0, 1])
        try:
            got = ranks_of.search(q, shard, 5, src=src, dst=dst)
        except RankError as error:
            return {"rank": error.rank, "reason": error.reason, "wrong": wrong, "of": answers}
        if step == 0:
            out.write("begun\n")
            out.flush()
        if got.scores is None:
            continue
        answers += 1
        of_one = EXPECTED[seed, count]
        wrong += not all(torch.equal(a, b) for a, b in zip(got[:2], of_one, strict=True))
    raise AssertionError


if __name__ == "__main__":
    sys.exit(main())
