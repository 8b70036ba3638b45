"""Search of a database in main memory from another device, to which it is copied in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from minifloat import ops
from minifloat.answers import Answer, merged, moved, none_of
from minifloat.vectors import PackedVectors

_ops = torch.ops.minifloat

# Codes that are copied at once: two such blocks are on the device at a time.
BLOCK_BYTES = 1 << 28

# Codes, reciprocal norms, and which rows take part.
Block = tuple[Tensor, Tensor, Tensor]


def search(
    a: Tensor,
    a_norms: Tensor,
    database: PackedVectors,
    mask: Tensor | None,
    ranges: Tensor | None,
    k: int,
) -> tuple[Tensor, Tensor]:
    """Return what the operator `search` does, on the device of a: the next block is on its way.

    Copies overlap with the search where the database is in page-locked memory. The mask and the
    ranges are in main memory, as the database.
    """
    codes, norms = database.codes, database.reciprocal_norms
    kind = (database.format.name, database.dim)
    stand_in = torch.empty_like(a, device=codes.device), a_norms.new_empty(len(a), device="cpu")
    ops.search(*stand_in, codes, norms, mask, ranges, k, *kind)
    chosen = _chosen(mask, ops.selected(mask, ranges, codes, k), len(database))
    # A copy from other memory waits for those before it.
    chosen = chosen.pin_memory() if codes.is_pinned() else chosen
    best: Answer = none_of(a)
    step = max(1, BLOCK_BYTES // max(1, codes.shape[1]))
    starts = [i for i in range(0, len(database), step) if chosen[i : i + step].any()]
    blocks: list[Block] = [
        (codes[i : i + step], norms[i : i + step], chosen[i : i + step]) for i in starts
    ]
    for first, block, part in zip(starts, _on_device(blocks, a.device), blocks, strict=True):
        found = min(k, int(part[2].count_nonzero()))
        answer = _ops.search(a, a_norms, *block, None, found, *kind)
        best = merged(best, moved(answer, first), k)
    return best


def _chosen(mask: Tensor | None, ranges: Tensor, rows: int) -> Tensor:
    """Return which rows take part: bool, (rows,)."""
    chosen = torch.zeros(rows, dtype=torch.bool)
    for begin, end in ranges.tolist():
        chosen[begin:end] = True
    return chosen if mask is None else chosen & mask


def _on_device(blocks: list[Block], device: torch.device) -> Iterator[Block]:
    """Yield each block on the device, good until the next; that is copied in the meantime."""
    if device.type != "cuda":
        for codes, norms, chosen in blocks:
            yield codes.to(device), norms.to(device), chosen.to(device)
        return
    current, copying = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    buffers = [[torch.empty_like(t, device=device) for t in blocks[0]] for _ in range(2)]
    views = [
        [buffer[: len(t)] for buffer, t in zip(buffers[i % 2], block, strict=True)]
        for i, block in enumerate(blocks)
    ]
    copied = [torch.cuda.Event() for _ in blocks]
    searched = [torch.cuda.Event() for _ in blocks]

    def copy(i: int) -> None:
        with torch.cuda.stream(copying):
            if i >= 2:
                copying.wait_event(searched[i - 2])
            for view, t in zip(views[i], blocks[i], strict=True):
                view.copy_(t, non_blocking=True)
            copied[i].record(copying)

    # The memory of the buffers may be in use still.
    copying.wait_stream(current)
    try:
        copy(0)
        for i in range(len(blocks)):
            if i + 1 < len(blocks):
                copy(i + 1)
            current.wait_event(copied[i])
            codes, norms, chosen = views[i]
            yield codes, norms, chosen
            searched[i].record(current)
    finally:
        current.wait_stream(copying)
