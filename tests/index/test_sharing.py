"""An index that processes, forks and threads share: one writer at a time, and any readers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from minifloat.index import Index, InUseError
from minifloat.index.rows import blocks
from tests.index.folders import ROWS, X, answers
from tests.index.model import DIM


def test_there_is_one_writer(path: Path) -> None:
    writer, other = Index.open(path, write=True), Index.open(path)
    with pytest.raises(
        InUseError, match=f"one writer at a time, which is process {os.getpid()} on"
    ):
        other.add([-1], X[:1])
    code = "import sys, minifloat; minifloat.Index.open(sys.argv[1], write=True)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert f"which is process {os.getpid()} on" in done.stderr
    assert len(other) == ROWS
    writer.close()
    other.add([-1], X[:1])
    other.commit()
    assert len(other) == ROWS + 1


def test_a_writer_that_nobody_has_any_more_is_none(path: Path) -> None:
    index = Index.open(path)
    index.remove([7])
    del index
    other = Index.open(path, write=True)
    assert 7 in other


def in_child(work: Callable[[], str]) -> str:
    """Return what work says in a forked process."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = work()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said


def test_forked_processes_search_too(path: Path) -> None:
    for index in (Index.open(path), Index.open(path, write=True)):
        before = answers(index)
        assert in_child(lambda index=index, before=before: str(answers(index) == before)) == "True"  # type: ignore[misc]
        assert answers(index) == before
    index.remove([3])
    index.add([-9], X[:1])
    assert in_child(lambda: str(index.search(X[-1:], 2)[1].shape)) == "torch.Size([1, 2])"
    said = in_child(lambda: str(index.search(X[:1], 1, where="day = 1")))
    assert "RuntimeError: this index was open for writing in the process" in said
    assert "RuntimeError" in in_child(lambda: str(index.remove([4])))
    # What the child did is nothing to the parent.
    assert index.commit() == 2
    said = in_child(lambda: str(Index.open(path).version) + str(Index.open(path, write=True)))
    assert "InUseError: " in said
    assert len(Index.open(path)) == ROWS
    memory = Index.create(None, DIM, "e2m1", columns={"day": "integer"})
    memory.add([1], X[:1], day=5)
    assert in_child(lambda: str(memory.search(X[:1], 1, where="day = 5")[1].tolist())) == "[[1]]"


def test_a_fork_beside_a_search_does_not_hang(path: Path) -> None:
    index, stop = Index.open(path), threading.Event()

    def search() -> None:
        while not stop.is_set():
            index.search(X[:2], 3, where="day = 1")

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            said = in_child(lambda: str(index.search(X[:1], 1, where="day = 1")[1].tolist()))
            assert said == "[[0]]"
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("on_disk", [False, True])
def test_threads_see_all_of_a_change_or_nothing(
    tmp_path: Path, on_disk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, rows in (("UNIT", 64), ("SEALED", 128), ("MOST", 256)):
        monkeypatch.setattr(blocks, name, rows)
    index = Index.create(
        tmp_path / "a" if on_disk else None, DIM, "e2m1", columns={"turn": "integer"}
    )
    names = [f"id {number}" for number in range(40)]
    index.add(names, X[:40], turn=0)
    index.commit()
    stop, wrong = threading.Event(), list[str]()

    def search() -> None:
        while not stop.is_set():
            # All rows are those of one turn, and have their ids, whichever it is.
            _, found = index.search(X[:1], 40)
            if sorted(found[0].tolist()) != sorted(names):
                wrong.append(f"found {found}")
            _, found = index.search(X[:1], 40, where="turn >= 0 AND id LIKE 'id%'")
            if sorted(found[0].tolist()) != sorted(names):
                wrong.append(f"found with a condition {found}")
            turns = set(index.get(names).columns["turn"])
            if len(turns) != 1:
                wrong.append(f"got turns {turns}")

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(1, 60):
            if turn % 3:
                index.upsert(names, X[turn : turn + 40], turn=turn)
            else:
                index.update(names[::-1], turn=turn)
            if turn % 4 == 0:
                index.commit()
            if turn % 20 == 0:
                index.compact()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
