import io
from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from minifloat.cli.results import Results
from tests.cli.conftest import DIM, KINDS, ROWS, Rows
from tests.cli.running import Done, fine, refused


def database() -> mf.PackedVectors:
    return mf.PackedVectors.load("db.safetensors")


def expected(x: object, k: int = 10, **how: object) -> list[dict[str, float]]:
    scores, rows = mf.search(x, database(), k, **how)  # type: ignore[call-overload]
    return [
        {"query": query, "rank": rank + 1, "row": int(rows[query, rank]), "score": float(score)}
        for query in range(len(scores))
        for rank, score in enumerate(scores[query].tolist())
    ]


def as_objects(done: Done) -> list[dict[str, float]]:
    # Scores are the shortest numbers that are read as the same float32.
    return [one | {"score": float(np.float32(one["score"]))} for one in done.objects()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("folder")
def test_queries_of_each_kind_of_file_find_what_search_finds(kind: str, x: Rows) -> None:
    done = fine("search", kind, "db.safetensors", "-k", 3, "--json", *KINDS[kind])
    assert as_objects(done) == expected(x, 3)


@pytest.mark.usefixtures("folder")
def test_results_are_lines_of_csv_or_of_json(x: Rows) -> None:
    data = Path("x.npy").read_bytes()
    table = fine("search", "-", "db.safetensors", stdin=data)
    assert table.out.splitlines()[0] == "query,rank,row,score"
    objects = fine("search", "x.npy", "db.safetensors", "--json").objects()
    assert [{k: str(v) for k, v in one.items()} for one in objects] == table.table()
    assert len(objects) == 10 * ROWS
    assert fine("search", "x.npy", "db.safetensors", "--out", "found.csv").out == ""
    assert Path("found.csv").read_text() == table.out


@pytest.mark.usefixtures("folder")
def test_packed_rows_are_queries_too() -> None:
    done = fine("search", "db.safetensors", "db.safetensors", "-k", 2, "--json")
    assert as_objects(done) == expected(database(), 2)


@pytest.mark.usefixtures("folder")
def test_all_rows_that_reach_a_threshold_are_found_the_best_first(x: Rows) -> None:
    found = mf.range_search(x, database(), 0.8, order="score")
    done = fine("search", "x.npy", "db.safetensors", "--threshold", 0.8, "--json").objects()
    assert [one["row"] for one in done] == found.rows.tolist()
    counts = found.offsets.tolist()
    assert [one["query"] for one in done] == np.repeat(np.arange(ROWS), np.diff(counts)).tolist()
    assert [one["rank"] for one in done][: counts[1]] == [*range(1, counts[1] + 1)]


@pytest.mark.parametrize("kind", ["x.npy", "x.safetensors"])
@pytest.mark.usefixtures("folder")
def test_answers_are_proven_by_originals(kind: str, x: Rows) -> None:
    more = ("--originals-key", "embeddings") if kind == "x.safetensors" else ()
    exact = fine("search", "x.npy", "db.safetensors", "-k", 4, "--originals", kind, *more, "--json")
    assert as_objects(exact) == expected(x, 4, originals=x)


@pytest.mark.usefixtures("folder")
def test_rows_and_queries_are_named_by_their_ids() -> None:
    named = ("--ids", "ids.txt", "--query-id", "number", "--key", "vector")
    done = fine("search", "x.parquet", "db.safetensors", "-k", 1, *named).table()
    assert done[20] == {"query": "200", "rank": "1", "id": "s020", "score": done[20]["score"]}
    lines = ("--query-ids", "ids.txt")
    done = fine("search", "x.npy", "db.safetensors", "-k", 1, *lines).table()
    assert [done[7][name] for name in ("query", "row")] == ["s007", "7"]
    done = fine(
        "search", "x.npz", "db.safetensors", "-k", 1, "--query-id", "name", "--key", "embeddings"
    ).table()
    assert [one["query"] for one in done] == Path("ids.txt").read_text().split()


@pytest.mark.usefixtures("folder")
def test_of_few_rows_all_are_found(x: Rows) -> None:
    mf.quantize(x[:3], "e2m1").save("few.safetensors")
    done = fine("search", "x.npy", "few.safetensors").table()
    assert len(done) == 3 * ROWS
    np.save("none.npy", x[:0])
    assert fine("search", "none.npy", "few.safetensors").out == "query,rank,row,score\n"


def test_ids_do_not_steer_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for file, shown in ((Terminal(), "\\x1b[2J"), (io.StringIO(), "\x1b[2J")):
        Results(file, ("id", "score"), False).write(["\x1b[2J"], [0.5])
        assert file.getvalue() == f"{shown},0.5\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x.npy", "db.safetensors", "-k", "0"), "-k must be at least 1; got 0"),
        (
            ("x.npy", "db.safetensors", "-k", "many"),
            "Invalid value for '-k': must be a whole number; got 'many'",
        ),
        (
            ("x.npz", "db.safetensors", "--key", "others"),
            f"queries must have the dim of the database, {DIM}; x.npz[others] has 2",
        ),
        (
            ("x.npy", "x.safetensors"),
            "x.safetensors holds no packed vectors: it lacks format, dim, version, codes, "
            "reciprocal_norms",
        ),
        (
            ("x.npy", "db.safetensors", "--where", "day > 3"),
            "--where is of an index; db.safetensors is a packed file",
        ),
        (
            ("x.npy", "db.safetensors", "--originals", "lists.parquet"),
            "--originals must be .npy, or floats in .safetensors; got lists.parquet, of which "
            "minifloat convert makes one",
        ),
        (
            ("x.npy", "db.safetensors", "--ids", "few.txt"),
            "few.txt must hold an id for each of 100 rows of db.safetensors; got 2",
        ),
        (
            ("x.npy", "db.safetensors", "--query-ids", "few.txt"),
            "few.txt must hold an id for each of 100 rows of x.npy; got 2",
        ),
        (
            ("x.npy", "db.safetensors", "--query-id", "name"),
            "x.npy is .npy, which names no columns; --id is of .npz, .safetensors, Parquet and "
            "Arrow, and --ids FILE takes an id a line",
        ),
        (
            ("x.arrow", "db.safetensors", "--query-id", "nam"),
            "x.arrow has columns vector, name, number, day; got 'nam'",
        ),
        (
            ("x.arrow", "db.safetensors", "--query-id", "name", "--query-ids", "ids.txt"),
            "ids come by --id or by --ids; got both",
        ),
        (
            ("x.npy", "db.safetensors", "--ids", "gap.txt"),
            "gap.txt, line 2: must be an id; it is blank",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_told_in_a_line(words: tuple[str, ...], told: str) -> None:
    Path("few.txt").write_text("a\nb\n")
    Path("gap.txt").write_text("a\n\nb\n")
    done = refused("search", *words, "--out", "out.csv")
    assert done == told
    assert not Path("out.csv").exists()
