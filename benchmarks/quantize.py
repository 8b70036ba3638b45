"""How long `quantize` takes, plain, in a frame and with feedback, beside the `encode_pack` in it.

`python -m benchmarks.quantize [ROWS]` tells it in CPU time of one thread, which other processes
disturb less than they do a clock.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.harness.options import count
from evaluation.command.help import HelpFormatter

ROUNDS = 11
# Rows that a frame is fitted on.
SAMPLE = 1000


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
    parser.add_argument("--dim", type=count, default=192, metavar="N", help="values of a row")
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(options.rows, options.dim, generator=generator)
    sample = torch.randn(SAMPLE, options.dim, generator=generator)
    frame = mf.Frame.fit(sample, feedback="force")
    for format in mf.FORMATS:
        pack, plain, framed, fed_back = _medians(x, format, frame)
        print(
            f"{format}: encode_pack {1e9 * pack / len(x):.0f} ns a row, quantize "
            f"{plain / pack:.1f} x, in a frame {framed / pack:.1f} x, with feedback "
            f"{fed_back / pack:.1f} x",
            flush=True,
        )


def _medians(x: Tensor, format: mf.Format, frame: mf.Frame) -> list[float]:
    """Return the seconds of `encode_pack` and of each way to quantize."""
    calls: list[Callable[[], object]] = [
        lambda: mf.encode_pack(x, format),
        lambda: mf.quantize(x, format),
        lambda: mf.quantize(x, format, frame=frame),
        lambda: mf.quantize(x, format, frame=frame, rounding="feedback"),
    ]
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, times in zip(calls, taken, strict=True):
            start = time.process_time()
            call()
            times.append(time.process_time() - start)
    return [statistics.median(times) for times in taken]


if __name__ == "__main__":
    main()
