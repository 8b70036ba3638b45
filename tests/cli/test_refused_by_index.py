"""What no command of an index takes, and damage."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from minifloat.cli.index.rows import Put
from tests.cli.conftest import DIM, FORMAT, ROWS, Rows
from tests.cli.running import fine, refused, run


def test_damage_is_told_by_the_exit_code(index: str) -> None:
    assert fine("index", "check", index).out == ""
    with closing(sqlite3.connect(f"{index}/index.sqlite")) as catalog, catalog:
        catalog.execute("UPDATE rows SET day = day + 1 WHERE id = 's007'")
    done = run("index", "check", index)
    assert (done.code, done.err) == (1, "")
    assert "another sum than the catalog says" in done.out


def test_what_fails_leaves_an_index_as_it_was(index: str, x: Rows) -> None:
    bad = x.copy()
    bad[40, 0] = np.inf
    np.save("bad.npy", bad)
    told = "row 40 of bad.npy holds NaN or infinity; all values must be finite"
    assert refused("index", "create", "new", "bad.npy", *FORMAT) == told
    assert not Path("new").exists()
    Path("other.txt").write_text("".join(f"t{i}\n" for i in range(ROWS)))
    added = ("index", "add", index, "bad.npy", "--ids", "other.txt", "--no-columns")
    assert refused(*added) == told
    assert json.loads(fine("index", "stats", index, "--json").out)["version"] == 1


@pytest.mark.usefixtures("folder")
def test_an_index_that_is_interrupted_as_it_is_made_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Put, "_ids", interrupted)
    done = run("index", "create", "new", "x.npy", *FORMAT)
    assert (done.code, done.out) == (130, "")
    assert not Path("new").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("create", "new", *FORMAT), "an index needs --dim, or IN, the rows that it begins with"),
        (
            ("create", "new", *FORMAT, "--dim", "8", "--frame", "fit"),
            "an index needs rows to fit a frame to, or IN, the rows that it begins with",
        ),
        (
            ("create", "new", "x.npy", *FORMAT, "--dim", "8"),
            f"--dim must be that of IN, {DIM}; got 8",
        ),
        (
            ("create", "i", "x.npy", *FORMAT),
            "i is there already; minifloat index add adds rows to an index",
        ),
        (
            ("create", "new", "x.npy", *FORMAT, "--column", "day"),
            "--column must be NAME=TYPE, such as day=integer; got 'day'",
        ),
        (
            ("create", "new", "x.arrow", *FORMAT, "--column", "day=date"),
            "column 'day' must be one of integer, real, text, blob, boolean",
        ),
        (
            ("create", "new", "x.npy", *FORMAT, "--ids", "ids.txt", "--id-type", "number"),
            "--id-type must be one of integer, text, uuid; got 'number'",
        ),
        (
            ("create", "new", "x.npy", *FORMAT, "--ids", "ids.txt", "--id-type", "integer"),
            "ids must be of kind integer; got 's000'",
        ),
        (
            ("add", "i", "x.arrow"),
            "rows need ids: --id names their column in x.arrow[vector], or --ids a text with an id "
            "a line",
        ),
        (("remove", "i"), "rows to remove are named by ids or by --where, one of both"),
        (
            ("remove", "i", "s000", "--where", "day = 1"),
            "rows to remove are named by ids or by --where, one of both",
        ),
        (("purge", "i"), "ids to purge must be given, or --ids, a text with one a line"),
        (
            ("stats", "x.npy"),
            "x.npy is no index",
        ),
        (
            ("search", "i", "x.npy", "--where", "nights = 1"),
            "where must be a condition of SQL over id, day",
        ),
    ],
)
@pytest.mark.usefixtures("index")
def test_what_cannot_be_is_told_in_a_line(words: tuple[str, ...], told: str) -> None:
    more = ("--out", "out.csv") if words[0] == "search" else ()
    assert refused("index", *words, *more).startswith(told)
    assert not Path("new").exists()


def test_ids_and_proofs_of_packed_files_are_not_those_of_an_index(index: str) -> None:
    told = f"--ids is of a packed file; the index {index} has ids of its own"
    assert refused("duplicates", index, "--threshold", 1, "--ids", "ids.txt") == told
    told = "--verify is of packed files; minifloat index check proves an index"
    assert refused("info", index, "--verify") == told
