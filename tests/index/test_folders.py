"""Folders: what is committed, and readers at their versions."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import torch

import minifloat as mf
from minifloat.index import DamagedError, Index
from tests.index.folders import ROWS, X, answers
from tests.index.model import DIM


def test_what_was_committed_is_there_afterwards(path: Path) -> None:
    index = Index.open(path, verify=True)
    scores, ids = index.search(X[-3:], 5)
    best, rows = mf.search(X[-3:], mf.quantize(X[:ROWS], "e2m1"), 5)
    assert torch.equal(scores, best)
    assert torch.equal(ids, rows)
    assert index.stats().files == 1
    assert (index.version, index.stats().oldest_version) == (1, 0)
    assert index.check() == []


def test_files_are_mapped_and_not_copied(path: Path) -> None:
    index = Index.open(path)
    codes = index._state.snapshot.vectors.codes
    lines = (
        Path("/proc/self/maps").read_text().splitlines() if Path("/proc/self/maps").exists() else []
    )
    if not lines:
        pytest.skip("/proc/self/maps is not here")
    spans = [line.split()[0].split("-") for line in lines if "block-" in line and str(path) in line]
    assert any(int(begin, 16) <= codes.data_ptr() < int(end, 16) for begin, end in spans)


def test_a_reader_stays_at_its_version(path: Path) -> None:
    writer, reader = Index.open(path, write=True), Index.open(path)
    before = answers(reader)
    writer.add(range(ROWS, ROWS + 900), X[ROWS : ROWS + 900], day=2)
    writer.remove(range(100))
    writer.upsert([200], X[-1:], day=1)
    assert answers(reader) == before
    writer.commit()
    assert answers(reader) == before
    assert (len(reader), 5 in reader, reader.get([200]).columns) == (ROWS, True, {"day": [1]})
    assert answers(writer) != before
    assert reader.refresh() == 2
    assert answers(reader) == answers(writer)
    assert len(reader) == ROWS + 800


def test_a_reader_moves_on_where_rows_have_moved(path: Path) -> None:
    writer, reader = Index.open(path, write=True), Index.open(path)
    writer.remove(range(100))
    writer.compact()
    # Whole, without SQLite, from the rows that it has; and with it from those that there are.
    assert reader.search(X[:1], 1)[1].tolist() == [[0]]
    assert reader.search(X[:1], 1, where="id < 200")[1].tolist()[0][0] >= 100
    assert reader.version == writer.version == 3
    assert answers(reader) == answers(writer)


def test_texts_are_looked_for_anew_where_rows_have_moved(tmp_path: Path) -> None:
    with Index.create(tmp_path / "a", DIM, "e2m1") as index:
        index.add([f"id {number}" for number in range(300)], X[:300])
    writer, reader = Index.open(tmp_path / "a", write=True), Index.open(tmp_path / "a")
    writer.remove(["id 0"])
    writer.compact()
    assert reader.search(X[:1], 1)[1][0, 0] == writer.search(X[:1], 1)[1][0, 0]
    assert reader.version == writer.version


def test_versions_are_kept_until_rows_move(path: Path) -> None:
    first = answers(Index.open(path))
    with Index.open(path) as index:
        index.remove(range(50))
        index.add([-5], X[-1:], day=3)
        index.commit()
        index.update([-5], day=4)
    old = Index.open(path, version=1)
    assert answers(old) == first
    assert old.check() == []
    assert (len(old), 3 in old, -5 in old) == (ROWS, True, False)
    between = Index.open(path, version=2)
    assert between.get([-5]).columns == {"day": [3]}
    assert between.search(X[-1:], 1, where="day = 3")[1].tolist() == [[-5]]
    assert old.refresh() == 1
    with pytest.raises(PermissionError, match=r"version 1 of .* was opened, which stays as it is"):
        old.remove([60])
    with pytest.raises(LookupError, match="keeps versions 0 to 3; got 7"):
        Index.open(path, version=7)
    with pytest.raises(ValueError, match="version 1 stays as it is: open without one to write"):
        Index.open(path, version=1, write=True)
    assert len(Index.open(path, version=0)) == 0
    with Index.open(path, write=True) as index:
        index.compact()
    with pytest.raises(LookupError, match="keeps versions 4 to 4; got 1"):
        Index.open(path, version=1)
    with pytest.raises(LookupError, match=r"version 1 of .* is no longer kept: rows were moved by"):
        old.search(X[:1], 1, where="day = 1")


def test_changes_that_are_not_committed_are_undone(path: Path) -> None:
    before = answers(Index.open(path))
    index = Index.open(path)
    index.remove([5])
    with pytest.warns(UserWarning, match="changes that were not committed are undone"):
        index.close()
    with pytest.raises(KeyError, match="-7"), Index.open(path) as index:  # noqa: PT012
        index.remove([5])
        index.remove([-7])
    assert answers(Index.open(path)) == before
    for ask in (index.commit, lambda: index.search(X[:1], 1), index.stats, index.refresh):
        with pytest.raises(ValueError, match="was closed: open it again"):
            ask()
    index.close()


def test_a_newer_releases_index_is_refused(path: Path) -> None:
    with sqlite3.connect(path / "index.sqlite") as sql:
        sql.execute("PRAGMA user_version = 99")
    sql.close()
    with pytest.raises(ValueError, match=r"has version 99, of a newer release.*upgrade minifloat"):
        Index.open(path)


def test_another_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "index.sqlite") as sql:
        sql.execute("CREATE TABLE rows (a)")
    sql.close()
    with pytest.raises(DamagedError, match="is no catalog of an index, or damaged"):
        Index.open(tmp_path)
    (tmp_path / "index.sqlite").write_bytes(b"something else entirely, of some length" * 100)
    with pytest.raises(DamagedError, match="is damaged: file is not a database"):
        Index.open(tmp_path)


def test_files_of_killed_writers_are_swept_by_the_next(path: Path) -> None:
    orphan = path / f"block-{'0' * 32}.safetensors"
    orphan.touch()
    (path / "notes.txt").touch()
    Index.open(path).close()
    assert orphan.exists()
    Index.open(path, write=True).close()
    assert not orphan.exists()
    assert (path / "notes.txt").exists()


def test_a_writer_finds_damage_of_files_too(path: Path) -> None:
    index = Index.open(path, write=True)
    index.remove([3])
    assert index.check() == []
    (file,) = path.glob("block-*")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)
    assert "have another CRC-32 than the file says" in "".join(index.check())
