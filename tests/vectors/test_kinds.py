"""Results are of the kind that rows were made from: NumPy arrays, or tensors."""

import copy
import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import minifloat as mf

X = np.random.default_rng(0).normal(0, 3, (6, 8)).astype(np.float32)
Y = X[::-1].copy()
PAIRS = np.array([[0, 1], [5, 5]])
MASK = np.array([True, True, False, True, True, True])
RANGES = np.array([[0, 2], [3, 6]])

Kind = type[Any]


def as_tensors(results: Any) -> tuple[torch.Tensor, ...]:
    return tuple(map(torch.as_tensor, results if isinstance(results, tuple) else (results,)))


def is_all(results: Any, kind: Kind) -> bool:
    return all(
        isinstance(result, kind)
        for result in (results if isinstance(results, tuple) else (results,))
    )


# By what is called: queries (packed or not) and a database.
CALLS: dict[str, Callable[[Any, mf.PackedVectors], Any]] = {
    "scores": mf.scores,
    "scores of listed pairs": lambda a, b: mf.scores(a, b, pairs=PAIRS),
    "scores of pairs in a tensor": lambda a, b: mf.scores(a, b, pairs=torch.from_numpy(PAIRS)),
    "search": lambda a, b: mf.search(a, b, 3),
    "search with a mask": lambda a, b: mf.search(a, b, 3, mask=MASK),
    "search with a mask in a tensor": lambda a, b: mf.search(a, b, 3, mask=torch.from_numpy(MASK)),
    "search of ranges": lambda a, b: mf.search(a, b, 3, ranges=RANGES),
    "search of listed ranges": lambda a, b: mf.search(a, b, 3, ranges=[(0, 2), (3, 6)]),
    "search of both": lambda a, b: mf.search(a, b, 3, mask=MASK, ranges=torch.from_numpy(RANGES)),
}


@pytest.mark.parametrize("call", CALLS)
def test_results_are_of_the_kind_of_the_queries_packed_or_not(
    call: str, format: mf.Format, backend: str
) -> None:
    run = CALLS[call]
    databases = mf.quantize(Y, format), mf.quantize(torch.from_numpy(Y), format)
    for array, tensor in (
        (X, torch.from_numpy(X)),
        (list(X), torch.from_numpy(X)),
        (mf.quantize(X, format), mf.quantize(torch.from_numpy(X), format)),
    ):
        expected = run(tensor, databases[1])
        for database in databases:
            assert is_all(run(array, database), np.ndarray)
            assert is_all(run(tensor, database), torch.Tensor)
            for queries in (array, tensor):
                for found, wanted in zip(
                    as_tensors(run(queries, database)), as_tensors(expected), strict=True
                ):
                    assert torch.equal(found, wanted)


def test_rows_among_themselves_are_of_their_kind(format: mf.Format) -> None:
    arrays, tensors = mf.quantize(X, format), mf.quantize(torch.from_numpy(X), format)
    for call in CALLS.values():
        assert is_all(call(arrays, arrays), np.ndarray)
        assert is_all(call(tensors, tensors), torch.Tensor)


def test_memory_of_ones_own_is_given_back_whatever_the_queries_are() -> None:
    outs: list[Any] = [np.empty((6, 6), np.float32), torch.empty(6, 6)]
    for x in (X, torch.from_numpy(X)):
        rows = mf.quantize(x, "e2m3")
        for queries in (x, rows):
            for out in outs:
                assert mf.scores(queries, rows, out=out) is out


def test_decoded_rows_are_of_the_kind_that_was_packed(format: mf.Format, backend: str) -> None:
    array, tensor = (mf.quantize(x, format).dequantize() for x in (X, torch.from_numpy(X)))
    assert isinstance(array, np.ndarray)
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_array_equal(array, tensor.numpy())


def test_the_codec_gives_back_the_kind_that_it_gets(format: mf.Format) -> None:
    def every(x: Any) -> list[Any]:
        codes = mf.encode(x, format)
        packed = mf.pack(codes, format)
        return [
            codes,
            packed,
            mf.decode(codes, format),
            mf.unpack(packed, format, 8),
            mf.round(x, format),
            mf.encode_pack(x, format),
        ]

    for array, tensor in zip(every(X), every(torch.from_numpy(X)), strict=True):
        assert isinstance(array, np.ndarray)
        assert isinstance(tensor, torch.Tensor)
        np.testing.assert_array_equal(array, tensor.numpy())


class Frame:
    """What NumPy makes an array of, as data frames are."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return X


def saved_by_torch(rows: mf.PackedVectors) -> Any:
    file = BytesIO()
    torch.save(rows, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


# What is made of packed rows, and keeps what they were made from.
KEEPING: dict[str, Callable[[mf.PackedVectors], mf.PackedVectors]] = {
    "a row": lambda rows: rows[2],
    "a slice": lambda rows: rows[1:4],
    "a slice backwards": lambda rows: rows[::-1],
    "a list": lambda rows: rows[[3, 0]],
    "a mask": lambda rows: rows[torch.from_numpy(MASK)],
    "cat with rows of its kind": lambda rows: mf.PackedVectors.cat([rows, rows]),
    "cat with tensor's rows": lambda rows: mf.PackedVectors.cat(
        [rows, mf.quantize(torch.from_numpy(X), "e2m1")]
    ),
    "cat with NumPy's rows": lambda rows: mf.PackedVectors.cat([rows, mf.quantize(X, "e2m1")]),
    "to the CPU": lambda rows: rows.to("cpu"),
    "a copy": copy.copy,
    "a deep copy": copy.deepcopy,
    "pickle": lambda rows: pickle.loads(pickle.dumps(rows)),
    "pickle of a slice": lambda rows: pickle.loads(pickle.dumps(rows[1:3])),
    "torch.save": saved_by_torch,
}


@pytest.mark.parametrize("way", KEEPING)
def test_what_rows_were_made_from_is_kept_by(way: str) -> None:
    made: Any
    for made, kind in (
        (X, np.ndarray),
        (X.tolist(), np.ndarray),
        (Frame(), np.ndarray),
        (torch.from_numpy(X), torch.Tensor),
    ):
        rows = KEEPING[way](mf.quantize(made, "e2m1"))
        assert isinstance(rows.dequantize(), kind)
        assert isinstance(mf.scores(rows, rows), kind)
        assert is_all(mf.search(rows, rows, 1), kind)


def test_rows_of_a_file_give_tensors(tmp_path: Path) -> None:
    path = tmp_path / "rows.safetensors"
    rows = mf.quantize(X, "e2m1")
    rows.save(path)
    for mmap in (True, False):
        loaded = mf.PackedVectors.load(path, mmap=mmap)
        assert loaded == rows
        assert isinstance(loaded.dequantize(), torch.Tensor)
        assert isinstance(mf.scores(loaded, rows), torch.Tensor)
        # Arrays as queries give arrays, and so do rows that were packed from them.
        assert is_all(mf.search(X, loaded, 2), np.ndarray)
        assert is_all(mf.search(rows, loaded, 2), np.ndarray)


def test_rows_on_another_device_give_tensors() -> None:
    rows = mf.quantize(X, "e2m1").to("meta")
    assert isinstance(rows.dequantize(), torch.Tensor)
    assert isinstance(mf.scores(rows, rows), torch.Tensor)
    assert is_all(mf.search(rows, rows, 1), torch.Tensor)


def test_what_rows_were_made_from_does_not_make_them_differ() -> None:
    assert mf.quantize(X, "e2m1") == mf.quantize(torch.from_numpy(X), "e2m1")


def test_rows_that_are_constructed_by_position_give_tensors() -> None:
    rows = mf.quantize(X, "e2m1")
    bare = mf.PackedVectors(rows.codes, rows.reciprocal_norms, rows.format, rows.dim)
    assert isinstance(bare.dequantize(), torch.Tensor)
    assert isinstance(mf.scores(bare, rows), torch.Tensor)


def test_pickles_of_before_are_loaded_and_give_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(rows: mf.PackedVectors) -> dict[str, Any]:
        return {name: value for name, value in vars(rows).items() if name != "from_numpy"}

    rows = mf.quantize(X, "e2m1")
    with monkeypatch.context() as older:
        older.setattr(mf.PackedVectors, "__getstate__", without)
        content = pickle.dumps(rows)
        file = BytesIO()
        torch.save(rows, file)
    file.seek(0)
    assert b"from_numpy" not in content + file.getvalue()
    for loaded in (pickle.loads(content), torch.load(file, weights_only=True)):
        assert loaded == rows
        assert isinstance(loaded[1:].dequantize(), torch.Tensor)
        assert isinstance(mf.scores(loaded, loaded), torch.Tensor)
