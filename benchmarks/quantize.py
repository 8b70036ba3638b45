"""How long `quantize` takes, beside the `encode_pack` in it.

`python -m benchmarks.quantize` tells it in CPU time of one thread, which other processes disturb
less than they do a clock.
"""

import statistics
import time

import torch

import minifloat as mf

ROWS, DIM = 100_000, 192
ROUNDS = 11


def main() -> None:
    """Print medians of rounds in which each took its turn."""
    torch.set_num_threads(1)
    x = torch.randn(ROWS, DIM, generator=torch.Generator().manual_seed(0))
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
