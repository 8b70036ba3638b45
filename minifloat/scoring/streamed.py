"""Search of a database in main memory from another device, to which it is copied in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from minifloat.answers import Answer, Reached, merged, moved, none_of, put_together
from minifloat.ops import answer
from minifloat.ops.products import Above, Best
from minifloat.ops.rows import Rows, Selection

# Codes that are copied at once: two such blocks are on the device at a time.
BLOCK_BYTES = 1 << 28


# What is known of each of some rows, and which of them take part.
Block = tuple[Tensor, ...]


def search(asked: Best) -> Answer:
    """Return the answer to a search of rows in main memory, on the device of the queries.

    While a block is searched the next one is on its way, if the rows are in page-locked memory. The
    mask and the ranges are in main memory, as the rows.
    """
    best = none_of(asked.sides.a.data)
    for first, rows, takes_part, count in _blocks(asked):
        of_block = asked._replace(
            sides=asked.sides._replace(b=rows),
            selection=Selection(takes_part),
            k=min(asked.k, count),
        )
        best = merged(best, moved(answer(of_block), first), asked.k)
    return best


def range_search(asked: Above) -> Reached:
    """Return all rows in main memory that reach thresholds, on the device of the queries."""
    found: list[Reached] = []
    for first, rows, takes_part, _ in _blocks(asked):
        sides = asked.sides._replace(b=rows)
        of_block = asked._replace(sides=sides, selection=Selection(takes_part))
        offsets, numbers, scores = answer(of_block)
        found.append(Reached(offsets, numbers + first, scores))
        asked.refuse_above_limit(sum(len(part.rows) for part in found))
    return put_together(found, asked.sides.a.data)


def _blocks(asked: Best | Above) -> Iterator[tuple[int, Rows, Tensor, int]]:
    """Yield blocks of rows, on the device of the queries until the next one.

    Each comes with the number of its first row, and which of them take part and how many.
    """
    rows = asked.sides.b
    # Which rows take part is checked where they are, before any is copied.
    alone = asked._replace(sides=asked.sides._replace(a=rows.some(slice(0))))
    if isinstance(alone, Above):
        alone = alone._replace(thresholds=rows.norms[:0])
    alone.check()
    alone.check_values()
    chosen = _chosen(asked.selection, len(rows.data))
    # A copy from other memory waits for those before it.
    chosen = chosen.pin_memory() if rows.data.is_pinned() else chosen
    step = max(1, BLOCK_BYTES // max(1, rows.data.shape[1]))
    parts = [slice(first, first + step) for first in range(0, len(chosen), step)]
    parts = [part for part in parts if chosen[part].any()]
    known = [of_each for of_each in rows if of_each is not None]
    blocks: list[Block] = [(*(t[part] for t in known), chosen[part]) for part in parts]
    for part, there in zip(parts, _on_device(blocks, asked.sides.a.data.device), strict=True):
        *of_each, takes_part = there
        yield part.start, Rows(*of_each), takes_part, int(chosen[part].count_nonzero())


def _chosen(selection: Selection, rows: int) -> Tensor:
    """Return which rows take part: bool, (rows,)."""
    chosen = torch.zeros(rows, dtype=torch.bool)
    for begin, end in selection.spans(rows):
        chosen[begin:end] = True
    return chosen if selection.mask is None else chosen & selection.mask


def _on_device(blocks: list[Block], device: torch.device) -> Iterator[Block]:
    """Yield each block on the device, good until the next; that is copied in the meantime."""
    if not blocks:
        return
    if device.type != "cuda":
        for block in blocks:
            yield tuple(t.to(device) for t in block)
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
            yield tuple(views[i])
            searched[i].record(current)
    finally:
        current.wait_stream(copying)
