"""An index built by many: each rank encodes its share of files, and one catalog names them all."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minifloat.distributed.building.encoding import Encoder
from minifloat.distributed.building.meanwhile import IsOver, Meanwhile, done
from minifloat.distributed.building.naming import Names
from minifloat.distributed.building.planning import PLAN, Piece, Plan, begin, facts_of
from minifloat.distributed.building.sources import Given, Source, opened, path_of
from minifloat.distributed.exchange.members import TIMEOUT
from minifloat.distributed.exchange.progress import in_step
from minifloat.distributed.exchange.ranks import Ranks
from minifloat.formats import FormatLike
from minifloat.frames import Frame
from minifloat.index.catalog.ids import Ids
from minifloat.index.folders import put, refuse_taken
from minifloat.index.rows.kinds import Kind
from minifloat.index.writing.adopting import TwiceError, adopt, has_names, name_rows
from minifloat.index.writing.holding import Holding
from minifloat.index.writing.writer import SUMMED


def build_index(
    path: str | Path,
    sources: Sequence[Given],
    format: FormatLike,
    *,
    frame: Frame | None = None,
    ids: Sequence[Any] | None = None,
    group: Any = None,
    timeout: float = TIMEOUT,
    **how: Any,
) -> int:
    """Make an index in a folder of the rows of files, by all ranks of a group at once.

    Return how many rows it has. It is as `Index.create`, `add` of all rows in turn and one `commit`
    leave it, or is not there. All ranks must make this call, with the same arguments, and see the
    same files: path, on a disk of rank 0's machine, and sources. One process alone needs no group.

    sources: files of rows (rows, dim), float: .npy, or .safetensors, of which the only such tensor
    is taken; a pair of a file and a name says which of several. Files of packed vectors must be of
    the kind that format, frame and how (as for `Index.create`: scale, estimator, rounding, errors)
    say. ids: for each source a .npy file of integers or texts, or ids as `add` takes them; without,
    row i of all sources has id i. group: one of torch.distributed, or None for all processes.
    timeout: seconds after which a rank that does not answer is lost.

    What is ready lies in the hidden folder .NAME.building beside path. After any end, also of
    processes that were killed, the same call goes on from there; with other arguments or changed
    sources it raises ValueError, which says what differs. ValueError also for a row that is not
    finite and for an id that two rows have, with where they are; FileExistsError where path is
    there; RankError, which names it, for a rank that was lost or has met an error.
    """
    if isinstance(sources, (str, Path)) or not len(sources):
        raise ValueError(f"sources must be a list of at least one file; got {sources!r}")
    asked = _Asked(Path(path), list(sources), format, frame, ids, how)
    with ExitStack() as held:
        ranks = Ranks(group, timeout=timeout)
        held.callback(ranks.close)
        plan, there = _planned(ranks, asked, held)
        mine = _share(ranks, plan.pieces, there)
        rows = sum(end - first for first, end, _ in mine)
        with closing(_encoded(asked, plan, mine, ranks.rank)) as steps:
            in_step(ranks, steps, rows, what="encoding", unit="rows")
        with closing(_finished(asked, plan, ranks.rank)) as steps:
            in_step(ranks, steps, 0, what="finishing", unit="rows")
    return plan.rows


@dataclass(frozen=True)
class _Asked:
    """What a rank was asked for."""

    path: Path
    sources: list[Given]
    format: FormatLike
    frame: Frame | None
    ids: Sequence[Any] | None
    how: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Where files are until all are there."""
        return self.path.absolute().with_name(f".{self.path.absolute().name}.building")

    def kind(self, dim: int) -> Kind:
        """Return how rows of a dim are made."""
        return Kind.of(dim, self.format, self.frame, self.how)

    def names(self) -> Names:
        """Return the ids of rows."""
        return Names(self.ids, len(self.sources))


def _planned(ranks: Ranks, asked: _Asked, held: ExitStack) -> tuple[Plan, set[str]]:
    """Return what rank 0 has planned, and names of files that are there already."""
    looked: list[Source] = []

    def begun() -> bytes:
        names = asked.names()
        names.refuse_others([(source.name, source.rows) for source in looked])
        plan = Plan(facts_of(asked.kind(looked[0].dim)), looked, names.facts)
        asked.folder.mkdir(exist_ok=True)
        held.callback(Holding(asked.folder).let_go)
        return json.dumps([plan.text(), begin(asked.folder, plan)]).encode()

    is_first = ranks.rank == 0
    todo, total = (_looked(asked, looked), len(asked.sources)) if is_first else (iter(()), 0)
    in_step(ranks, todo, total, what="looking at sources", unit="files")
    text, there = json.loads(ranks.spread(begun, "plan"))
    return Plan.read(text), set(there)


def _looked(asked: _Asked, into: list[Source]) -> Iterator[int]:
    """Look at each source; ValueError for one whose rows the index cannot take."""
    refuse_taken(asked.path)
    kind = None
    for given in asked.sources:
        source, read = opened(given)
        kind = kind or asked.kind(source.dim)
        try:
            kind.packed(read(0, 0))
        except ValueError as error:
            raise ValueError(f"{source.name}: {error}") from error
        into.append(source)
        yield 1


def _share(ranks: Ranks, pieces: list[Piece], there: set[str]) -> list[Piece]:
    """Return which files a rank sees to: its part of those that are not there, and of all others.

    Files have as many rows as others, but the last. Ranks that come last get those that are left
    over, for rank 0 has the catalog to make too.
    """
    turn = ranks.count - 1 - ranks.rank
    new = [piece for piece in pieces if piece[2] not in there]
    old = [piece for piece in pieces if piece[2] in there]
    return [*new[turn :: ranks.count], *old[turn :: ranks.count]]


def _encoded(asked: _Asked, plan: Plan, mine: list[Piece], rank: int) -> Generator[int]:
    """Have files be there; yield rows as they are encoded. Rank 0 names all rows meanwhile."""
    kind, names = asked.kind(plan.sources[0].dim), asked.names()
    _refuse_other(asked, plan, Plan(facts_of(kind), plan.sources, names.facts), rank)

    def named(is_over: IsOver) -> None:
        if rank == 0 and not has_names(asked.folder):
            _name(asked.folder, kind, names, plan, is_over)

    encoder = Encoder(asked.folder, kind, names, plan)
    with Meanwhile(named) as naming:
        for piece in mine:
            for rows in encoder.written(piece):
                naming.is_done()
                yield rows
        yield from naming.waiting()


def _refuse_other(asked: _Asked, plan: Plan, own: Plan, rank: int) -> None:
    """Raise ValueError where a rank was asked for something else than rank 0."""
    first = [source.file.path for source in plan.sources]
    paths = [os.path.abspath(path_of(given)) for given in asked.sources]
    other = next((path for path in paths if path not in first), f"{len(paths)} sources")
    difference = own.difference(plan) or (f"it has {other}" if paths != first else None)
    if difference is not None:
        raise ValueError(
            f"all ranks must be asked for one index; rank {rank} was for another: {difference}"
        )


def _name(folder: Path, kind: Kind, names: Names, plan: Plan, is_over: IsOver) -> None:
    """Make the catalog of all rows; ValueError, which says where they are, for two of one id."""

    def batches() -> Iterator[Ids]:
        for first in range(0, plan.rows, SUMMED):
            end = min(plan.rows, first + SUMMED)
            yield names.within(first, end, plan.spans(first, end))

    try:
        name_rows(folder, kind, names.kind, batches(), is_over)
    except TwiceError as error:
        where = " and ".join(map(plan.place, error.rows))
        raise ValueError(f"{error}, by {where}") from error


def _finished(asked: _Asked, plan: Plan, rank: int) -> Generator[int]:
    """Have the index be where it is looked for, which rank 0 sees to."""
    if rank != 0:
        return
    kind = asked.kind(plan.sources[0].dim)
    files = [(end - first, name) for first, end, name in plan.pieces]
    yield from done(lambda: adopt(asked.folder, kind, files))
    refuse_taken(asked.path)
    (asked.folder / PLAN).unlink(missing_ok=True)
    put(asked.folder, asked.path)
