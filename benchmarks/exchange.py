"""What reading a data set of Lance takes, beside reading one file of the same bytes."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import minifloat as mf
from evaluation.command.help import HelpFormatter
from minifloat.vectors import lance
from minifloat.vectors.lance_datasets import opened

# In E2M1 a row then has 100 bytes.
DIM = 192
ROUNDS = 11


def database(rows: int) -> mf.PackedVectors:
    some = mf.quantize(torch.randn(1 << 12, DIM), mf.E2M1)
    return mf.PackedVectors.cat([some] * -(-rows // len(some)))[:rows]


def scan(path: Path) -> None:
    """Have pylance make batches of Arrow of all rows, and look at none."""
    for _ in opened(path, None, None).to_batches():
        pass


def work(folder: Path, rows: mf.PackedVectors) -> dict[str, Callable[[], Any]]:
    """Return what is timed, by name, on files that are written now."""
    raw, saved, data_set = folder / "raw", folder / "rows.safetensors", folder / "rows.lance"
    raw.write_bytes(rows.to_arrow().storage.buffers()[1])
    rows.save(saved)
    lance.write(data_set, rows)
    return {
        "one file, np.fromfile": lambda: np.fromfile(raw, np.uint8),
        "one file, read_bytes": raw.read_bytes,
        "load, mmap=False": lambda: mf.PackedVectors.load(saved, mmap=False),
        "Lance, batches alone": lambda: scan(data_set),
        "Lance, read": lambda: lance.read(data_set),
    }


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    found = function()
    taken = time.perf_counter() - start
    # To give memory back is not to read.
    del found
    return taken


def main() -> None:
    """Print medians of rounds in which each took its turn, from memory."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=HelpFormatter
    )
    parser.add_argument(
        "rows", type=int, nargs="?", default=1_000_000, metavar="ROWS", help="of 100 bytes"
    )
    parser.add_argument("--folder", type=Path, help="on the disk that is meant")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = database(options.rows)
        timed = work(Path(folder), rows)
        print(f"{rows}; {torch.get_num_threads()} threads")
        taken: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(ROUNDS):
            for name, function in timed.items():
                taken[name].append(seconds(function))
        base = statistics.median(next(iter(taken.values())))
        for name, times in taken.items():
            median = statistics.median(times)
            print(
                f"{name:22} {median * 1e3:8.1f} ms {rows.nbytes / median / 1e9:6.2f} GB/s, "
                f"{base / median:6.0%} of the speed of the first"
            )


if __name__ == "__main__":
    main()
