"""The rows nearest to queries, of those of all ranks."""

from __future__ import annotations

from operator import index as as_index
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.answers import best_places
from minifloat.distributed.exchange.tensors import there
from minifloat.distributed.searching import names
from minifloat.distributed.searching.batches import Call, Tensors
from minifloat.distributed.searching.queries import Queries
from minifloat.distributed.searching.taking import Asked, Taking, originals_of
from minifloat.distributed.shards.shard import Missing, Shard
from minifloat.index.reading.filters import Where
from minifloat.index.reading.finding import check_page
from minifloat.ops.products import Best
from minifloat.ops.rows import Sides
from minifloat.scoring import exact
from minifloat.scoring.asking import best_of
from minifloat.scoring.exact import Read
from minifloat.scoring.exact.originals import Originals
from minifloat.scoring.queries import rows_of
from minifloat.scoring.selecting import Mask, Ranges

# Bytes of a row that was found: its score, its number, its id.
_FOUND = 20


class Answer(NamedTuple):
    """Scores, float32, and rows or ids, both (queries, k), and what is known beside.

    missing: whose rows could not be read. read: what of originals was, or None.
    """

    scores: Any
    rows: Any
    missing: tuple[Missing, ...] = ()
    read: Read | None = None


def search(
    queries: Any,
    shard: Shard,
    k: int,
    *,
    src: int | None = None,
    dst: int | None = None,
    mask: Mask = None,
    ranges: Ranges = None,
    where: Where | None = None,
    only: Any = None,
    offset: int = 0,
    originals: Any = None,
    rescore: int | None = None,
    allow_partial: bool = False,
) -> Answer:
    """Return the k largest cosines of each query and their rows, of all ranks: both (queries, k).

    All ranks call it at once, with the same arguments. It is what `minifloat.search` gives of all
    rows in one process, or `Index.search` of an index, ids then in place of rows: equal to the bit
    in formats whose products are integers, and whatever the number of ranks.

    Queries are given by all ranks, the same, or by rank `src` alone; where they are on others makes
    no difference. All ranks get the answer, or rank `dst` alone, and the others None for each part.

    mask: bool, of this rank's rows, (len(shard),); ranges: of the rows of all. where, only, offset:
    as `Index.search` takes them, of an index. originals: the float rows of all ranks, of which each
    reads its own, such as a mapped array or a slice of a safetensors file; of an index with integer
    ids row i is that of id i. rescore as in `minifloat.search`.

    A rank that fails, does not answer in time or is gone is a RankError on the others, and never a
    partial answer, unless with allow_partial: ranks whose files are damaged are left out then, and
    the answer says which.
    """
    call = Call(shard, f"search k={k} {offset} {rescore}", src, dst, answer_bytes=_bytes(k, offset))
    asked = Asked(mask, ranges, where, only)
    one = _Search(shard, k, offset, originals, rescore)

    def prepare() -> Queries:
        return Queries.of(queries, shard.vectors, call.batch, are_read=originals is not None)

    found = call.answered(queries, prepare, asked, one, allow_partial=allow_partial)
    if not call.is_answered:
        return Answer(None, None)
    return one.answer(found, call, queries)


class _Search:
    """One search: what a rank finds, and what rank 0 makes of what all have found."""

    def __init__(
        self, shard: Shard, k: int, offset: int, originals: Any, rescore: int | None
    ) -> None:
        self.shard, self.k, self.offset = shard, as_index(k), as_index(offset)
        self.originals, self.rescore = originals, rescore

    def check(self) -> None:
        """Raise ValueError for what cannot be asked."""
        check_page(self.k, self.offset)
        if self.rescore is None:
            return
        if self.originals is None:
            raise ValueError("rescore is of a search that reads originals")
        if self.rescore < self.most:
            raise ValueError(f"rescore must be at least k = {self.most}; got {self.rescore}")

    @property
    def most(self) -> int:
        """How many rows of each query are looked for."""
        return self.k + self.offset

    def own(self, queries: Queries, taking: Taking) -> Tensors:
        """Return scores, numbers and names of the best rows of this rank, and what was read.

        With rescore the scores are those of codes, and cosines of originals come beside.
        """
        shard = self.shard
        k = min(self.most if self.rescore is None else self.rescore, taking.rows)
        a = queries.rows.to(shard.device)
        sides = Sides(a, rows_of(taking.vectors), shard.format.name, shard.dim)
        asked = Best(sides, taking.selection, k)
        read: Read | None = None
        cosines: Tensor | None = None
        count = len(a.data)
        if k == 0:
            scores, found = torch.empty(count, 0), torch.empty(count, 0, dtype=torch.int64)
        elif self.originals is None:
            scores, found = (part.cpu() for part in best_of(asked))
        elif self.rescore is None:
            originals = originals_of(shard, self.originals, taking)
            given = there(queries.x), asked, taking.vectors, originals, None
            (scores, found), read = exact.search(*given)
        else:
            scores, found = (part.cpu() for part in best_of(asked))
            cosines, read = self._cosines(queries, taking, found)
        positions = taking.positions_of(found)
        of_index = None
        if shard.index is not None:
            of_index = shard.index.names[positions.clamp(min=0)]
        beside = torch.tensor([taking.rows, *((read.passes, read.bytes) if read else (0, 0))])
        rows = None if read is None else read.rows
        return [scores, positions + shard.first, of_index, cosines, beside, rows]

    def combine(self, parts: list[Tensors | None]) -> Tensors:
        """Return the best rows of all ranks."""
        here = [part for part in parts if part is not None]
        scores, rows = (torch.cat([there(part[i]) for part in here], 1) for i in (0, 1))
        index = self.shard.index
        of_index = torch.cat([there(part[2]) for part in here], 1) if index is not None else rows
        beside = [there(part[4]).tolist() for part in here]
        taking = sum(rows_here for rows_here, _, _ in beside)
        if index is None and self.most > taking:
            raise ValueError(f"k must be in 1..{taking}, the rows that take part; got {self.most}")
        if self.rescore is not None:
            places = best_places(scores, rows, self.rescore)
            cosines = torch.cat([there(part[3]) for part in here if part[3] is not None], 1)
            # Of equal cosines the lower row comes first, whatever the scores of their codes.
            places = places.gather(1, rows.gather(1, places).argsort(dim=1))
            scores, rows, of_index = (part.gather(1, places) for part in (cosines, rows, of_index))
        places = best_places(scores, rows, self.most)[:, self.offset :]
        scores, of_index = scores.gather(1, places), of_index.gather(1, places)
        if scores.shape[1] < self.k:
            missing = (0, self.k - scores.shape[1])
            scores = torch.nn.functional.pad(scores, missing, value=torch.nan)
            of_index = torch.nn.functional.pad(of_index, missing, value=-1)
        reads = [there(part[5]) for part in here if part[5] is not None]
        read = torch.stack([torch.stack(reads).sum(0)]) if reads else None
        passes, bytes = zip(*[of[1:] for of in beside], strict=True)
        totals = torch.tensor([max(passes), sum(bytes)])
        told = of_index if index is None else names.told(index, of_index)
        return [scores, told, totals, read]

    def answer(self, batches: list[Tensors], call: Call, queries: Any) -> Answer:
        """Return the answers to all batches as the queries came."""
        scores = torch.cat([there(of[0]) for of in batches])
        rows = names.joined(self.shard.index, [there(of[1]) for of in batches], scores.shape)
        read = None
        if self.originals is not None:
            totals = torch.stack([there(of[2]) for of in batches])
            of_each = [there(of[3])[0] for of in batches if of[3] is not None]
            of_each = of_each or [torch.zeros(len(scores), dtype=torch.int64)]
            read = Read(torch.cat(of_each), int(totals[:, 0].max()), int(totals[:, 1].sum()))
        scores, rows = call.as_asked(queries, scores, rows)
        return Answer(scores, rows, call.left_out, read)

    def _cosines(self, queries: Queries, taking: Taking, found: Tensor) -> tuple[Tensor, Read]:
        """Return the cosines of originals of rows that were found, float32, as they are."""
        originals = Originals(originals_of(self.shard, self.originals, taking), taking.vectors)
        count, k = found.shape
        query = torch.arange(count).repeat_interleave(k)
        x = there(queries.x).cpu().double().contiguous()
        cosines = originals.cosines(x, query, found.flatten()).float().reshape(count, k)
        return cosines, Read(torch.full((count,), k), 1, originals.bytes_read)


def _bytes(k: Any, offset: Any) -> int:
    """Return how many bytes the rows found for a query take."""
    return _FOUND * max(1, as_index(k) + as_index(offset))
