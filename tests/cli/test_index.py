"""`minifloat index ...`, and the other commands over an index."""

import json
import shutil
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

import minifloat as mf
from tests.cli.conftest import DIM, FORMAT, KINDS, NAMES, ROWS, Rows
from tests.cli.running import Done, fine, refused, run


def line(done: Done) -> list[str]:
    """The only line of a result."""
    (found,) = done.table()
    return [*found.values()]


@pytest.mark.parametrize("kind", [*KINDS, "db.safetensors"])
@pytest.mark.usefixtures("folder")
def test_an_index_is_made_of_each_kind_of_file(kind: str, x: Rows) -> None:
    fine("index", "create", "i", kind, *FORMAT, "--ids", "ids.txt", *KINDS.get(kind, ()))
    made = mf.Index.open("i")
    assert [*made] == NAMES
    assert made.get(NAMES).vectors == mf.quantize(x, "e2m1")
    made.close()


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ((), [*range(ROWS)]),
        (("--id", "number"), [10 * i for i in range(ROWS)]),
        (("--id", "name"), NAMES),
        (("--ids", "numbers.txt", "--id-type", "integer"), [*range(0, -ROWS, -1)]),
        (("--ids", "uuids.txt", "--id-type", "uuid"), [UUID(int=i) for i in range(ROWS)]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_ids_are_numbers_texts_or_uuids(more: tuple[str, ...], ids: list[object]) -> None:
    Path("numbers.txt").write_text("".join(f"{-i}\n" for i in range(ROWS)))
    Path("uuids.txt").write_text("".join(f"{UUID(int=i)}\n" for i in range(ROWS)))
    fine("index", "create", "i", "x.arrow", *FORMAT, *more)
    made = mf.Index.open("i")
    assert [*made] == ids
    made.close()
    # They are typed as they are.
    fine("index", "remove", "i", "--", str(ids[3]), str(ids[4]))
    done = fine("index", "search", "i", "x.npy", "-k", 1).table()
    assert [one["id"] for one in done][6:9] == [str(one) for one in ids[6:9]]


@pytest.mark.usefixtures("folder")
def test_an_index_keeps_rows_in_a_frame(x: Rows) -> None:
    fine("index", "create", "i", "x.npy", *FORMAT, "--frame", "fit")
    made = mf.Index.open("i")
    assert made.frame == mf.Frame.fit(x)
    made.close()
    fine("quantize", "x.npy", "framed.safetensors", *FORMAT, "--frame", "fit")
    fine("index", "create", "j", "framed.safetensors", *FORMAT)
    fine("index", "create", "k", *FORMAT, "--dim", DIM, "--frame", "framed.safetensors")
    for path, rows in (("j", ROWS), ("k", 0)):
        made = mf.Index.open(path)
        assert (made.frame, len(made)) == (mf.Frame.fit(x), rows)
        made.close()


def test_rows_are_added_replaced_and_removed(index: str, x: Rows) -> None:
    np.savez("more.npz", e=-x[:2], id=["new", "s001"], day=[1, 2])
    more = ("index", "add", index, "more.npz", "--id", "id")
    assert "s001" in refused(*more)
    assert line(fine(*more, "--replace")) == ["2", "101", "2"]
    made = mf.Index.open(index)
    rows = made.get(["s001", "new"])
    assert rows.columns == {"day": [2, 1]}
    assert rows.vectors == mf.quantize(-x[[1, 0]], "e2m1", errors=True)
    made.close()
    assert line(fine("index", "remove", index, "new", "s001")) == ["2", "99", "3"]
    assert "new" in refused("index", "remove", index, "new", "s002")
    gone = fine("index", "remove", index, "new", "s002", "--ignore-missing", "--json").objects()
    assert gone == [{"removed": 1, "rows": 98, "version": 4}]
    assert line(fine("index", "remove", index, "--where", "day > 20"))[0] == "27"
    stdin = b"s003\ns004\n"
    assert line(fine("index", "remove", index, "--ids", "-", stdin=stdin))[1] == "69"


def test_columns_are_taken_or_left(index: str, x: Rows) -> None:
    np.save("two.npy", x[:2])
    Path("two.txt").write_text("a\nb\n")
    added = ("index", "add", index, "two.npy", "--ids", "two.txt")
    assert "--column is of .npz" in refused(*added)
    fine(*added, "--no-columns")
    made = mf.Index.open(index)
    assert made.get(["a"]).columns == {"day": [None]}
    made.close()


def test_an_index_is_searched_as_its_rows_are(index: str, x: Rows) -> None:
    plain = fine("search", "x.npy", "db.safetensors", "--ids", "ids.txt")
    assert fine("search", "x.npy", index) == plain
    assert fine("index", "search", index, "x.npy") == plain
    reach = ("--threshold", 0.8, "--query-ids", "ids.txt", "--json")
    packed = fine("search", "x.npy", "db.safetensors", "--ids", "ids.txt", *reach)
    assert fine("search", "x.npy", index, *reach) == packed
    found = fine("search", "x.npy", index, "-k", 5, "--where", "day = 7").table()
    assert {one["id"] for one in found} == {"s007", "s037", "s067", "s097"}
    # Four rows are all that there are.
    assert len(found) == 4 * ROWS


@pytest.mark.usefixtures("folder")
def test_answers_of_an_index_are_proven_by_originals(x: Rows) -> None:
    fine("index", "create", "i", "x.npy", *FORMAT, "--errors")
    exact = ("--originals", "x.npy", "-k", 3)
    found = fine("search", "x.npy", "i", *exact).out.replace("query,rank,id", "query,rank,row")
    assert found == fine("search", "x.npy", "db.safetensors", *exact).out


def test_pairs_and_trials_of_an_index_are_by_id(index: str) -> None:
    named = ("db.safetensors", "--ids", "ids.txt")
    assert fine("duplicates", index, "--threshold", 0.9) == fine(
        "duplicates", *named, "--threshold", 0.9
    )
    Path("trials.txt").write_text("1 s003 s050\n0 s000 s099\n1 s000 s001\n")
    trials = ("trials.txt", "--threshold", 0.999)
    assert run("verify", index, *trials) == run("verify", named[0], *trials, *named[1:])
    Path("trials.txt").write_text("s003 s100\n")
    assert "s100" in refused("verify", index, *trials, "--out", "out.csv")


def test_what_an_index_holds_is_told(index: str) -> None:
    fine("index", "remove", index, "s000")
    facts = json.loads(fine("index", "stats", index, "--json").out)
    assert {name: facts[name] for name in ("kind", "rows", "dim", "format", "removed", "ids")} == {
        "kind": "index", "rows": 99, "dim": DIM, "format": "e2m1", "removed": 1, "ids": "text",
    }  # fmt: skip
    assert fine("info", index) == fine("index", "stats", index)
    assert "removed:" in fine("info", index).out


def test_what_was_removed_leaves_the_files(index: str) -> None:
    fine("index", "remove", index, "s000", "s001")
    (done,) = fine("index", "compact", index, "--erase", "--json").objects()
    assert done["rows"] == 98
    assert {*done} == {"rows", "version", "bytes_before", "bytes_after"}
    assert json.loads(fine("index", "stats", index, "--json").out)["removed"] == 0
    assert line(fine("index", "purge", index, "s002"))[:2] == ["1", "97"]
    assert "s002" in refused("index", "purge", index, "s002")


def test_an_empty_index_finds_nothing(index: str) -> None:
    shutil.rmtree(index)
    fine("index", "create", "i", *FORMAT, "--dim", DIM)
    assert fine("search", "x.npy", "i").table() == []
    assert fine("duplicates", "i", "--threshold", 0).table() == []
    assert fine("index", "check", "i").out == ""
    assert line(fine("index", "add", "i", "x.arrow", "--id", "number")) == ["100", "100", "1"]
