"""Every CUDA kernel, watched by compute-sanitizer: scripts/test --device

Of memory outside of what was asked for (memcheck), of threads that meet in shared memory without a
barrier (racecheck), of barriers that not all reach (synccheck); then the exit status is 1. This
needs a GPU, and takes minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys

import torch

import minifloat as mf

TOOLS = ("memcheck", "racecheck", "synccheck")
# By warp and by warpgroup, aligned or not, in one piece of a row or more.
DIMS = (9, 64, 192, 320)
QUERIES = (3, 70)
ROWS = 300
# Sorted by a warp, and by more of them.
NEAREST = (10, 290)
WATCHED = "--watched"


def watch() -> int:
    """Run this program under each tool; return 1 if one of them complains."""
    # Torch's own allocator would hide from memcheck what is whose.
    environment = {**os.environ, "PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    program = [sys.executable, __file__, WATCHED]
    failed = False
    for tool in TOOLS:
        print(f"== {tool}", flush=True)
        command = ["compute-sanitizer", f"--tool={tool}", "--error-exitcode=1", *program]
        failed |= subprocess.run(command, env=environment).returncode != 0
    return int(failed)


def call_all(device: str) -> None:
    """Call every kernel for every format, and compare what is promised to the bit."""
    generator = torch.Generator().manual_seed(0)
    for format in mf.FORMATS:
        for dim in DIMS:
            database = mf.quantize(torch.randn(ROWS, dim, generator=generator), format)
            there = database.to(device)
            assert torch.equal(there.codes.cpu(), database.codes)
            assert torch.equal(mf.unpack(there.codes, format, dim).cpu(), codes_of(database))
            for count in QUERIES:
                compare(torch.randn(count, dim, generator=generator), database, there)


def codes_of(rows: mf.PackedVectors) -> torch.Tensor:
    return mf.unpack(rows.codes, rows.format, rows.dim)


def compare(floats: torch.Tensor, here: mf.PackedVectors, there: mf.PackedVectors) -> None:
    """Score and search, packed and as floats, on both devices."""
    format, device = here.format, there.codes.device
    packed = mf.quantize(floats, format)
    moved = mf.quantize(floats.to(device), format)
    assert torch.equal(moved.codes.cpu(), packed.codes)
    for a, b in ((packed, moved), (floats, floats.to(device))):
        pairs = [mf.scores(a, here), mf.scores(b, there).cpu()]
        answers = [(*mf.search(a, here, k), *mf.search(b, there, k)) for k in NEAREST]
        if format.lane == "float":
            continue
        assert torch.equal(*pairs)
        for scores, rows, other_scores, other_rows in answers:
            assert torch.equal(scores, other_scores.cpu())
            assert torch.equal(rows, other_rows.cpu())


if __name__ == "__main__":
    if WATCHED not in sys.argv:
        sys.exit(watch())
    call_all("cuda")
