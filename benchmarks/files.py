"""What loading and proving a file takes, beside reading it.

python benchmarks/files.py [MIB] [--folder FOLDER]
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

import minifloat as mf
from evaluation.command.help import HelpFormatter

DIM = 256
ROUNDS = 9


def rows(mib: int) -> mf.PackedVectors:
    count = (mib << 20) // mf.E4M3.row_bytes(DIM)
    some = mf.quantize(torch.randn(1 << 12, DIM), mf.E4M3)
    return mf.PackedVectors.cat([some] * -(-count // len(some)))


def read(path: Path) -> None:
    """Read a file as fast as the system gives it, into one small buffer."""
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def forget(path: Path) -> None:
    """Take a file out of memory, so that the next look at it waits for the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


WORK: dict[str, Callable[[Path], object]] = {
    "read": read,
    "load": mf.PackedVectors.load,
    "load, mmap=False": lambda path: mf.PackedVectors.load(path, mmap=False),
    "verify": mf.PackedVectors.verify,
}


def seconds(work: Callable[[Path], object], path: Path, *, cold: bool) -> float:
    if cold:
        forget(path)
    start = time.perf_counter()
    work(path)
    return time.perf_counter() - start


def main() -> None:
    """Print medians of rounds in which each took its turn."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=HelpFormatter
    )
    parser.add_argument(
        "mib", type=int, nargs="?", default=512, metavar="MIB", help="size of the file"
    )
    parser.add_argument("--folder", type=Path, help="on the disk that is meant")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path, database = Path(folder) / "rows", rows(options.mib)
        database.save(path)
        print(f"{database}; {torch.get_num_threads()} threads")
        for cold in (False, True):
            taken: dict[str, list[float]] = {name: [] for name in WORK}
            for _ in range(ROUNDS):
                for name, work in WORK.items():
                    taken[name].append(seconds(work, path, cold=cold))
            base = statistics.median(taken["read"])
            for name, times in taken.items():
                median = statistics.median(times)
                print(
                    f"{'from the disk' if cold else 'in memory':14} {name:17} "
                    f"{median * 1e3:8.1f} ms {path.stat().st_size / median / 1e9:7.2f} GB/s, "
                    f"{median / base:5.2f} x reading"
                )


if __name__ == "__main__":
    main()
