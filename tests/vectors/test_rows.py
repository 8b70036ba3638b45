"""Rows that are neither a tensor nor an array: lists, data frames and columns of rows."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import minifloat as mf

X = np.random.default_rng(0).normal(0, 3, (5, 8)).astype(np.float32)


class Column:
    """What NumPy makes an array of, as the columns of tables are."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return self.array if dtype is None else self.array.astype(dtype)


def objects(rows: list[Any]) -> NDArray[np.object_]:
    """An array of rows, each an object of its own."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def pandas(kind: str) -> Any:
    pd = pytest.importorskip("pandas")
    if kind == "series of arrays":
        return pd.Series(list(X), index=list("abcde"))
    if kind == "series of lists":
        return pd.DataFrame({"name": list("abcde"), "row": X.tolist()})["row"]
    return pd.DataFrame(X)


def polars(kind: str) -> Any:
    pl = pytest.importorskip("polars")
    if kind == "series of lists":
        return pl.Series("row", X.tolist(), dtype=pl.List(pl.Float32))
    if kind == "series of arrays":
        return pl.Series("row", X)
    return pl.DataFrame(X)


def arrow(kind: str) -> Any:
    pa = pytest.importorskip("pyarrow")
    if kind == "lists of one size":
        return pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), X.shape[1])
    lists = pa.array(X.tolist(), pa.list_(pa.float32()))
    return pa.chunked_array([lists[:2], lists[2:]]) if kind == "column of a table" else lists


KINDS: dict[str, Callable[[], Any]] = {
    "list of lists": X.tolist,
    "list of arrays": lambda: list(X),
    "tuple of tuples": lambda: tuple(map(tuple, X.tolist())),
    "objects": lambda: objects(list(X)),
    "column": lambda: Column(objects(X.tolist())),
    "frame": lambda: Column(X),
    "pandas series of arrays": lambda: pandas("series of arrays"),
    "pandas series of lists": lambda: pandas("series of lists"),
    "pandas frame": lambda: pandas("frame"),
    "polars series of lists": lambda: polars("series of lists"),
    "polars series of arrays": lambda: polars("series of arrays"),
    "polars frame": lambda: polars("frame"),
    "arrow lists": lambda: arrow("lists"),
    "arrow lists of one size": lambda: arrow("lists of one size"),
    "arrow column of a table": lambda: arrow("column of a table"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_taken_from_whatever_numpy_reads(kind: str) -> None:
    rows = KINDS[kind]()
    database = mf.quantize(X, "e2m3")
    assert mf.quantize(rows, "e2m3") == database
    found = mf.scores(rows, database)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, mf.scores(X, database))
    for array, expected in zip(
        mf.search(rows, database, 2), mf.search(X, database, 2), strict=True
    ):
        assert isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, expected)


def test_floats_of_a_list_are_rounded_once() -> None:
    # Just above the middle of 1 and 1.125: in float32 it would be the middle, which becomes 1.
    x = 1.0625 + 2.0**-40
    assert mf.quantize([[x, 1]], "e4m3", scale="none").dequantize().tolist() == [[1.125, 1]]


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a generator": (
        lambda: (row for row in X),
        TypeError,
        "{name} must be a torch tensor, a NumPy array, a list of rows, or a data frame or a column "
        "of rows; got generator",
    ),
    "a list of tensors": (
        lambda: list(torch.from_numpy(X)),
        TypeError,
        "{name} must be one tensor, which torch.stack makes; got a list",
    ),
    "rows of two lengths": (
        lambda: [[1.0, 2.0], [3.0, 4.0], [5.0]],
        ValueError,
        "rows of {name} must have one shape; got (1,) in row 2 and (2,) in row 0",
    ),
    "a row that is missing": (
        lambda: Column(objects([X[0], None])),
        ValueError,
        "rows of {name} must have one shape; got () in row 1 and (8,) in row 0",
    ),
    "a value that is missing": (
        lambda: [[1.0, 2.0], [3.0, None]],
        TypeError,
        "{name} must hold floats; got Python objects, which np.asarray(x, np.float32) converts",
    ),
    "a frame of objects": (
        lambda: Column(X.astype(object)),
        TypeError,
        "{name} must hold floats; got Python objects, which np.asarray(x, np.float32) converts",
    ),
    "packed vectors as a part": (
        lambda: [mf.quantize(X, "e2m1")],
        TypeError,
        "PackedVectors hold codes, not values: call dequantize() for float32 rows",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_rows_is_refused(kind: str) -> None:
    make, error, message = REFUSED[kind]
    database = mf.quantize(X, "e2m1")
    with pytest.raises(error, match=f"^{re.escape(message.format(name='x'))}$"):
        mf.quantize(make(), "e2m1")
    for function in (mf.scores, lambda queries, database: mf.search(queries, database, 1)):
        with pytest.raises(error, match=f"^{re.escape(message.format(name='queries'))}$"):
            function(make(), database)


@pytest.mark.parametrize(
    "rows",
    [[], (), [0.5, 1.0], Column(objects([]))],
    ids=["a list", "a tuple", "a flat list", "a column"],
)
def test_lists_of_no_rows_are_refused_by_shape(rows: Any) -> None:
    with pytest.raises(ValueError, match=r"^x must have shape \(rows, dim\), dim at least 1; got"):
        mf.quantize(rows, "e2m1")


def test_lists_of_whole_numbers_are_refused() -> None:
    message = "x must be one of float16, bfloat16, float32, float64; got int64"
    with pytest.raises(TypeError, match=f"^{message}$"):
        mf.quantize([[1, 2], [3, 4]], "e2m1")
