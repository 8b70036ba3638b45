"""How long `quantize` takes, beside the `encode_pack` in it.

`python -m benchmarks.quantize [ROWS]` tells it in CPU time of one thread, which other processes
disturb less than they do a clock.
"""

import argparse
import statistics
import time

import torch

import minifloat as mf
from benchmarks.harness.options import count
from evaluation.command.help import HelpFormatter

DIM = 192
ROUNDS = 11


def main() -> None:
    """Print medians of rounds in which each took its turn."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quantize",
        description=__doc__.partition("\n")[0],
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "rows", type=count, nargs="?", default=100_000, metavar="ROWS", help="rows of the input"
    )
    rows: int = parser.parse_args().rows
    torch.set_num_threads(1)
    x = torch.randn(rows, DIM, generator=torch.Generator().manual_seed(0))
    for format in mf.FORMATS:
        taken: dict[str, list[float]] = {"encode_pack": [], "quantize": []}
        for _ in range(ROUNDS):
            for name, times in taken.items():
                start = time.process_time()
                getattr(mf, name)(x, format)
                times.append(time.process_time() - start)
        pack, whole = (1000 * statistics.median(times) for times in taken.values())
        print(f"{format}: encode_pack {pack:.2f} ms, quantize {whole:.2f} ms, {whole / pack:.1f} x")


if __name__ == "__main__":
    main()
