"""What answers that are proven by originals cost: rows that are read, and time.

`python -m benchmarks.exact` prints how many originals are read for the 10 best of rows in a frame,
and how long that takes of rows around real ones, in a mapped file, on one thread, beside a search
of the codes alone and of the float rows by torch and faiss.
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch

import minifloat as mf
from benchmarks.exact import reads, times
from benchmarks.harness.options import count, names
from benchmarks.recall.sets import RECORDINGS
from evaluation.command.help import HelpFormatter
from evaluation.command.model_files import ModelFile
from evaluation.embeddings.embeddings import load_embeddings
from minifloat import _C
from minifloat.formats import as_format

QUERIES = (1, 64)


def main() -> None:
    """Print both tables."""
    options = _options()
    files = options.embeddings or RECORDINGS
    torch.set_num_threads(1)
    print("| originals read, median / 95 % / most | " + " | ".join(map(str, mf.FORMATS)), end=" | ")
    print("e2m1 with feedback |\n" + "|---" * (len(mf.FORMATS) + 2) + "|")
    for name, x in reads.sets(files, options.random):
        found = [reads.rows_read(x, format) for format in mf.FORMATS]
        found.append(reads.rows_read(x, mf.E2M1, rounding="feedback"))
        print(f"| {name} | " + " | ".join(" / ".join(map(str, read)) for read in found) + " |")
    if not options.rows:
        return
    around = torch.from_numpy(load_embeddings(files[0].path, name=files[0].name).rows)
    print(f"\n{_C.isa()}, one thread, {options.rows:,} rows around those of {files[0].name}, k 10")
    if find_spec("faiss") is None:
        print("faiss is left out: pip install faiss-cpu")
    for format in options.format:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            rows = times.Rows(Path(folder, "rows.npy"), around, options.rows, format)
            for queries in QUERIES:
                print(_line(rows, queries, format), flush=True)


def _line(rows: times.Rows, count: int, format: mf.Format) -> str:
    """Return what some queries take, in words."""
    queries = rows.queries[:count].contiguous()
    warm, cold = times.warm(rows, queries), times.cold(rows, queries)
    proven, gathered = warm["proven"], cold["as many rows by NumPy"]
    beside = ", ".join(f"{name} {taken / proven:.2f}" for name, taken in warm.items())
    return (
        f"{format}, {count} queries: proven {1e3 * proven:.1f} ms; times as long: {beside}; with "
        f"originals on the disk alone {cold['proven'] / proven:.2f}, where NumPy takes "
        f"{gathered / proven:.1f} to gather as many"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.exact",
        description=__doc__.partition("\n")[0],
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "--embeddings",
        type=ModelFile.parse,
        action="append",
        metavar="FILE",
        help="recordings: files as the studies take them; without one the samples of "
        f"{' and '.join(file.name for file in RECORDINGS)}",
    )
    parser.add_argument(
        "--rows",
        type=int,
        default=1_000_000,
        metavar="N",
        help="how many rows are made around the first file's, to be timed; 0 times nothing",
    )
    parser.add_argument(
        "--random", type=count, default=20_000, metavar="N", help="how many random rows are read"
    )
    parser.add_argument(
        "--format",
        type=names(as_format),
        default="e2m3",
        metavar="NAMES",
        help="formats that are timed, comma-separated",
    )
    parser.add_argument(
        "--folder", metavar="PATH", help="where the file of rows is made; the system's without one"
    )
    options = parser.parse_args()
    if options.rows < 0:
        parser.error(f"--rows must be 0 or more; got {options.rows}")
    return options


if __name__ == "__main__":
    main()
