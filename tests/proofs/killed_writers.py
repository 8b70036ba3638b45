"""Writers killed at any time: python -m tests.proofs.killed_writers [WRITERS [FOLDER]]

Each is a process that saves two sets of rows over one file, in turn, until SIGKILL ends it. After
each the file must be one of the two, with every checksum right, and the next save must leave
nothing else in the folder.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

import torch

import minifloat as mf


def rows(seed: int) -> mf.PackedVectors:
    """Rows in several blocks of checksums: 2 MiB."""
    return mf.quantize(
        torch.randn(1 << 13, 256, generator=torch.Generator().manual_seed(seed)), "e4m3"
    )


def write_for_ever(path: Path, saved: list[mf.PackedVectors], started: int) -> NoReturn:
    torch.set_num_threads(2)
    os.write(started, b"0")
    while True:
        for some in saved:
            some.save(path)


def kill_one(path: Path, saved: list[mf.PackedVectors], seconds: float) -> None:
    """Start a writer and kill it so long after it began."""
    begun, started = os.pipe()
    writer = os.fork()
    if writer == 0:
        write_for_ever(path, saved, started)
    try:
        os.read(begun, 1)
        time.sleep(seconds)
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        os.close(begun)
        os.close(started)


def is_one_of(path: Path, saved: list[mf.PackedVectors]) -> bool:
    found = mf.PackedVectors.load(path, verify=True)
    return any(
        torch.equal(found.codes, some.codes)
        and torch.equal(found.reciprocal_norms, some.reciprocal_norms)
        for some in saved
    )


def main() -> str | None:
    """Kill so many writers; return what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("writers", type=int, nargs="?", default=200)
    parser.add_argument("folder", type=Path, nargs="?")
    options = parser.parse_args()
    # A process with threads of its own is not forked.
    torch.set_num_threads(1)
    saved = [rows(1), rows(2)]
    chance, interrupted = random.Random(0), 0
    place = nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory()
    with place as folder:
        path = Path(folder) / "rows"
        saved[0].save(path)
        begin = time.perf_counter()
        for some in saved:
            some.save(path)
        longest = 2 * (time.perf_counter() - begin)
        for writer in range(options.writers):
            kill_one(path, saved, chance.uniform(0, longest))
            names = os.listdir(folder)
            interrupted += len(names) > 1
            if not is_one_of(path, saved):
                return f"after writer {writer} the file is neither the old nor the new one"
            saved[writer % 2].save(path)
            if (names := os.listdir(folder)) != ["rows"]:
                return f"the save after writer {writer} left {names}"
    print(
        f"{options.writers} writers killed, {interrupted} while they wrote; the file was whole "
        "after each, and the next save left nothing else"
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
