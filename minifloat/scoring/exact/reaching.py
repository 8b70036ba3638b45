"""All rows whose originals reach a threshold by their cosines."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from minifloat.answers import Reached, in_order
from minifloat.ops.products import Above
from minifloat.scoring.asking import NO_LIMIT, reached, rounded_up
from minifloat.scoring.exact.originals import Originals
from minifloat.scoring.exact.reading import Reader, least_beside, require_errors, together
from minifloat.vectors import PackedVectors


def range_search(x: Tensor, asked: Above, database: PackedVectors, rows: Any) -> Reached:
    """Return all rows whose originals reach thresholds, on the CPU.

    x: the queries as they were given.
    """
    require_errors(database)
    originals, count = Originals(rows, database), 0
    none = torch.empty(0, dtype=torch.int64)
    found = [(none, none, torch.empty(0))]
    step = together(database)
    for first in range(0, len(x), step):
        some = slice(first, first + step)
        reader = Reader(x[some], asked.sides.a.some(some), database, originals)
        bounds, thresholds = reader.bounds, asked.thresholds[some].cpu()
        least = least_beside(thresholds)
        to_reach = rounded_up(bounds.to_reach(least)).to(asked.thresholds.device)
        may = Above(bounds.sides(), asked.selection, to_reach, NO_LIMIT)
        offsets, row, _ = (part.cpu() for part in reached(may))
        query = torch.arange(reader.count).repeat_interleave(offsets.diff())
        pairs = reader.opened(query, row, least)
        scores = pairs.cosine.float()
        reach = scores >= thresholds[pairs.query]
        found.append((pairs.query[reach] + first, pairs.row[reach], scores[reach]))
        count += len(found[-1][0])
        asked.refuse_above_limit(count)
    query, row, scores = (torch.cat(parts) for parts in zip(*found, strict=True))
    return in_order(query, row, scores, len(x))
