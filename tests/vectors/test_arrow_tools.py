"""What of a column of packed vectors survives which tool: the table of docs/how-to/arrow.md."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import minifloat as mf
from tests.support.paths import ROOT
from tests.support.rows import normal

pa = pytest.importorskip("pyarrow")

X = normal(70, 48) + 1
FRAME = mf.Frame.fit(X, 2)
ROWS = {
    "plain": mf.quantize(X, "e2m3"),
    "framed": mf.quantize(X, "e2m3", frame=FRAME, errors=True),
}
PAGE = ROOT / "docs" / "how-to" / "arrow.md"

Tool = Callable[[Any, Path], Any]


def parquet(table: Any, path: Path) -> Any:
    file = pytest.importorskip("pyarrow.parquet")
    file.write_table(table, path)
    return file.read_table(path)


def feather(table: Any, path: Path) -> Any:
    file = pytest.importorskip("pyarrow.feather")
    file.write_feather(table, path)
    return file.read_table(path)


def stream(table: Any, path: Path) -> Any:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=20)
    with pa.OSFile(str(path)) as source:
        return pa.ipc.open_stream(source).read_all()


def duckdb_table(table: Any, path: Path) -> Any:
    with pytest.importorskip("duckdb").connect(str(path)) as database:
        database.register("given", table)
        database.sql("create table kept as select * from given")
        return database.sql("select * from kept order by number").to_arrow_table()


def duckdb_writes(table: Any, path: Path) -> Any:
    with pytest.importorskip("duckdb").connect() as database:
        database.register("given", table)
        database.sql(f"copy given to '{path}' (format parquet)")
    return pytest.importorskip("pyarrow.parquet").read_table(path)


def duckdb_reads(table: Any, path: Path) -> Any:
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    with pytest.importorskip("duckdb").connect() as database:
        return database.sql(
            f"select * from read_parquet('{path}') order by number"
        ).to_arrow_table()


def polars(table: Any, path: Path) -> Any:
    return pytest.importorskip("polars").from_arrow(table).to_arrow()


def polars_series(table: Any, path: Path) -> Any:
    return pytest.importorskip("polars").from_arrow(table)


def polars_writes(table: Any, path: Path) -> Any:
    pytest.importorskip("polars").from_arrow(table).write_parquet(path)
    return pytest.importorskip("pyarrow.parquet").read_table(path)


def polars_writes_ipc(table: Any, path: Path) -> Any:
    pytest.importorskip("polars").from_arrow(table).write_ipc(path)
    return pytest.importorskip("pyarrow.feather").read_table(path)


def polars_reads(table: Any, path: Path) -> Any:
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    return pytest.importorskip("polars").read_parquet(path).to_arrow()


def lance(table: Any, path: Path) -> Any:
    library = pytest.importorskip("lance")
    library.write_dataset(table, str(path))
    return library.dataset(str(path)).to_table()


# As the page names them, with whether the type survives.
TOOLS: dict[str, tuple[Tool, bool]] = {
    "Parquet, by pyarrow": (parquet, True),
    "Feather, by pyarrow": (feather, True),
    "IPC stream, by pyarrow": (stream, True),
    "DuckDB, a table in its file": (duckdb_table, False),
    "DuckDB writes Parquet": (duckdb_writes, False),
    "DuckDB reads Parquet": (duckdb_reads, False),
    "Polars, a data frame": (polars, True),
    "Polars, a series": (polars_series, True),
    "Polars writes Parquet": (polars_writes, True),
    "Polars writes IPC": (polars_writes_ipc, True),
    "Polars reads Parquet": (polars_reads, True),
    "Lance": (lance, True),
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("storage", ["binary", "list"])
@pytest.mark.parametrize("rows", ROWS)
def test_rows_survive_each_tool(tool: str, storage: Any, rows: str, tmp_path: Path) -> None:
    expected = ROWS[rows]
    column = expected.to_arrow(storage=storage)
    through, keeps_type = TOOLS[tool]
    table = pa.table({"vectors": column, "number": pa.array(range(len(expected)))})
    found = through(table, tmp_path / "kept")["vectors"]
    said: Any = {"format": "e2m3", "dim": 48, "frame": expected.frame}
    # What is said goes for both kinds, and is compared with a type that survives.
    assert mf.PackedVectors.from_arrow(found, **said) == expected
    if keeps_type:
        again = mf.PackedVectors.from_arrow(found)
        assert (again, again.estimator) == (expected, expected.estimator)
        return
    with pytest.raises(ValueError, match=r"^the column does not say what its bytes are"):
        mf.PackedVectors.from_arrow(found)


def test_the_page_tells_what_survives() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    told = {row[0].removeprefix("| "): row[1] for row in rows}
    assert {tool: told.get(tool) for tool in TOOLS} == {
        tool: "yes" if keeps_type else "no" for tool, (_, keeps_type) in TOOLS.items()
    }
