"""Whether an index is as it was written: every sum, every file, every number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from minifloat.files import storage
from minifloat.index.catalog.catalog import (
    FILE,
    Catalog,
    Version,
    removals_of,
    sum_of_rows,
)
from minifloat.index.catalog.columns import Columns
from minifloat.index.catalog.errors import DamagedError, as_written
from minifloat.index.catalog.ids import INTEGER
from minifloat.index.rows.blocks import of_part, sum_of
from minifloat.index.rows.kinds import Kind
from minifloat.index.rows.store import fields_of
from minifloat.index.state import State


def damages(state: State) -> Iterator[str]:
    """Yield what is damaged, in words."""
    state.refuse_closed()
    path = None if state.folder is None else state.folder / FILE
    try:
        with as_written(path), _committed(state) as catalog:
            for (said,) in catalog.all("PRAGMA integrity_check"):
                if said != "ok":
                    yield f"{path}: {said}"
            yield from _of_catalog(catalog, state.columns)
            if state.folder is not None:
                yield from _of_rows(state, catalog, _newest(catalog))
    except DamagedError as error:
        yield str(error)


@contextmanager
def _committed(state: State) -> Iterator[Catalog]:
    """Yield a catalog as it was committed last, whatever a writer has done since."""
    if state.folder is None:
        with state.reading() as (_, catalog):
            yield catalog
        return
    with state.calling():
        catalog = Catalog(state.folder, writes=False)
        try:
            with catalog.transaction("DEFERRED"):
                yield catalog
        finally:
            catalog.close()


def _of_catalog(catalog: Catalog, columns: Columns) -> Iterator[str]:
    """Yield what is damaged of facts, versions, ids and columns."""
    facts = catalog.facts()
    Kind.read(facts)
    catalog.refuse_other_tables(columns)
    numbers = [number for (number,) in catalog.all("SELECT version FROM versions")]
    for number in numbers:
        catalog.version(number)
    if sorted(numbers) != list(range(int(facts["oldest"]), _newest(catalog).version + 1)):
        yield f"{catalog.path}: of its versions since {facts['oldest']} some are not there"
    end = 0
    for first, count, said in catalog.all("SELECT * FROM sums ORDER BY first"):
        rows = catalog.rows(columns, first, first + count)
        if first < end or sum_of_rows(rows) != said:
            yield (
                f"{catalog.path}: ids or columns of rows {first} to {first + count - 1} have "
                "another sum than the catalog says"
            )
        yield from _beside(catalog, columns, end, first)
        end = first + count
    yield from _beside(catalog, columns, end, 2**62)


def _newest(catalog: Catalog) -> Version:
    """Return the newest version; DamagedError if there is none."""
    newest = catalog.version()
    if newest is None:
        raise DamagedError(f"{catalog.path} is damaged: it has no version")
    return newest


def _beside(catalog: Catalog, columns: Columns, first: int, end: int) -> Iterator[str]:
    if first < end and catalog.rows(columns, first, end):
        yield f"{catalog.path}: there are rows from {first} on that no sum covers"


def _of_rows(state: State, catalog: Catalog, version: Version) -> Iterator[str]:
    """Yield what is damaged of codes, and of which rows they are."""
    assert state.folder is not None
    gone = catalog.all("SELECT row, removed FROM rows WHERE removed IS NOT NULL")
    removals = sum(removals_of([row], number) for row, number in gone) % 2**32
    if (len(gone), removals) != (version.removed, version.removals):
        yield f"{catalog.path}: {len(gone)} rows are marked as removed, of {version.removed}"
    known, at = [], 0
    ids = []
    for first, count, name in catalog.all("SELECT * FROM blocks ORDER BY first"):
        if first != at:
            yield f"{catalog.path}: rows from {at} to {first - 1} are in no file"
        at = first + count
        try:
            storage.verify(state.folder / name)
            fields = fields_of(state.folder / name, state.kind, count)
        except (ValueError, OSError) as error:
            yield str(error)
            continue
        known.append(fields["rows"])
        ids.append(fields.get("ids", fields["rows"]))
    for first, count, data, said in catalog.all("SELECT * FROM parts ORDER BY first"):
        if first != at or sum_of(first, count, data) != said:
            yield f"{catalog.path}: rows at {first} are damaged, or not where they should be"
            return
        at = first + count
        fields = of_part(state.kind, count, data)
        known.append(fields["rows"])
        ids.append(fields.get("ids", fields["rows"]))
    if at != version.positions:
        yield f"{catalog.path}: there are {at} rows of {version.positions}"
    yield from _of_numbers(state, catalog, torch.cat([torch.empty(0).long(), *known]), ids)


def _of_numbers(
    state: State, catalog: Catalog, rows: torch.Tensor, ids: list[torch.Tensor]
) -> Iterator[str]:
    """Yield where rows of files are not those of the catalog."""
    if bool((rows.diff() <= 0).any()):
        yield f"{state.folder}: numbers of rows do not ascend in its files"
        return
    found = catalog.all("SELECT row, id FROM rows ORDER BY row")
    numbers = torch.tensor([row for row, _ in found], dtype=torch.int64)
    if not torch.equal(numbers, rows):
        yield f"{state.folder}: its files hold other rows than the catalog"
    elif state.id_kind == INTEGER:
        of_catalog = torch.tensor([id or 0 for _, id in found], dtype=torch.int64)
        if not torch.equal(of_catalog, torch.cat([torch.empty(0).long(), *ids])):
            yield f"{state.folder}: its files hold other ids than the catalog"


def verify(state: State) -> None:
    """Raise DamagedError for the first damage."""
    for damage in damages(state):
        raise DamagedError(damage)
