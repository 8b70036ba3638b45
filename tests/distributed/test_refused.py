"""What no index is built of, and what is told of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import minifloat as mf
from minifloat.distributed import build_index
from minifloat.distributed.building import build as building
from minifloat.distributed.building.planning import begin
from minifloat.index import InUseError
from minifloat.index.writing.holding import Holding

X = torch.randn(20, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that are fine, and others."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X.numpy())
    np.save("wide.npy", torch.zeros(3, 9).numpy())
    np.save("flat.npy", X[0].numpy())
    np.save("whole.npy", np.arange(20).reshape(4, 5))
    np.save("texts.npy", np.array([f"t{number}" for number in range(20)]))
    Path("damaged.npy").write_bytes(b"none")
    Path("damaged.safetensors").write_bytes(b"none")
    np.savez("archive", x=X.numpy())
    Path("archive.npz").rename("archive.npy")
    save_file({"a": X, "b": X + 1, "n": X[0].clone()}, "two.safetensors")
    save_file({"n": X.int()}, "none.safetensors")
    mf.quantize(X, "e4m3").save("packed.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "error", "told"),
    [
        ([], ValueError, r"sources must be a list of at least one file; got \[\]"),
        ("x.npy", ValueError, r"sources must be a list of at least one file; got 'x\.npy'"),
        (["absent.npy"], FileNotFoundError, r".*'absent\.npy'"),
        (
            ["x.csv"],
            ValueError,
            r"sources must be \.npy or \.safetensors files, or pairs of a \.safetensors file and "
            r"the name of a tensor; got 'x\.csv'",
        ),
        ([("x.npy", "x")], ValueError, r"sources must be .*; got \('x\.npy', 'x'\)"),
        (["damaged.npy"], ValueError, r"damaged\.npy cannot be read as a \.npy file: .*"),
        (["archive.npy"], ValueError, r"archive\.npy is an archive of arrays, and not a \.npy .*"),
        (
            ["flat.npy"],
            ValueError,
            r"flat\.npy must be rows of float16, bfloat16, float32 or float64, \(rows, dim\); got "
            r"float32 of shape \(8,\)",
        ),
        (["whole.npy"], ValueError, r"whole\.npy must be rows .*; got int64 of shape \(4, 5\)"),
        (
            ["damaged.safetensors"],
            ValueError,
            r"damaged\.safetensors is not a safetensors file: .*",
        ),
        (
            ["two.safetensors"],
            ValueError,
            r"two\.safetensors has these tensors of vectors: a, b; and a pair of file and name "
            r"says which",
        ),
        (
            [("two.safetensors", "n")],
            ValueError,
            r"two\.safetensors has these tensors of vectors: a, b; got 'n'",
        ),
        (["none.safetensors"], ValueError, r".* has these tensors of vectors: none; and a pair .*"),
        (
            [("none.safetensors", "n")],
            ValueError,
            r"none\.safetensors\[n\] must be rows .*; got I32 of shape \(20, 8\)",
        ),
        (
            [("packed.safetensors", "codes")],
            ValueError,
            r"packed\.safetensors holds packed vectors alone; got tensor 'codes'",
        ),
        (
            ["x.npy", "wide.npy"],
            ValueError,
            r".*/wide\.npy: x must be rows \(rows, 8\) of this index; got shape \(0, 9\)",
        ),
        (
            ["x.npy", "packed.safetensors"],
            ValueError,
            r".*/packed\.safetensors: packed rows must be of .*e2m1.*; got .*e4m3.*",
        ),
    ],
)
def test_sources_that_are_none_are_refused(
    sources: Any, error: type[Exception], told: str, folder: Path
) -> None:
    with pytest.raises(error, match=f"^{told}$"):
        build_index("index", sources, "e2m1")
    assert not any("index" in name for name in os.listdir(folder))


@pytest.mark.parametrize(
    ("ids", "error", "told"),
    [
        ([range(20)], ValueError, r"ids must be given for each of 2 sources; got 1"),
        ("texts.npy", ValueError, r"ids must be given for each of 2 sources; got 'texts\.npy'"),
        (
            [range(20), range(20, 39)],
            ValueError,
            r"there must be an id for each of 20 rows of .*/y\.npy; got 19",
        ),
        ([range(20), "texts.npy"], TypeError, r"ids must be of one kind; got integer and text"),
        (
            ["x.npy", range(20)],
            TypeError,
            r"a file of ids must hold integers or texts, \(rows,\); got float32 of shape \(20, 8\)",
        ),
        (
            [[1.5] * 20] * 2,
            TypeError,
            r"ids must be all int, all str, or all uuid\.UUID; got float",
        ),
        (
            [range(20), range(15, 35)],
            ValueError,
            r"ids must differ; got 15 twice, by row 15 of .*/x\.npy and row 0 of .*/y\.npy",
        ),
        (
            ["texts.npy", [*map(str, range(19)), "t3"]],
            ValueError,
            r"ids must differ; got 't3' twice, by row 3 of .*/x\.npy and row 19 of .*/y\.npy",
        ),
    ],
)
def test_ids_that_are_none_are_refused(
    ids: Any, error: type[Exception], told: str, folder: Path
) -> None:
    np.save("y.npy", X.numpy())
    with pytest.raises(error, match=f"^{told}$"):
        build_index("index", ["x.npy", "y.npy"], "e2m1", ids=ids)
    assert not Path("index").exists()
    shutil.rmtree(".index.building", ignore_errors=True)
    assert build_index("index", ["x.npy", "y.npy"], "e2m1", ids=[range(20), range(20, 40)]) == 40


def test_arguments_that_quantize_refuses_are_refused(folder: Path) -> None:
    for how, error, told in (
        ({"format": "e9m9"}, ValueError, "format must be one of .*; got 'e9m9'"),
        ({"format": "e2m1", "scale": "most"}, ValueError, "scale must be "),
        ({"format": "e2m1", "columns": {}}, TypeError, "unexpected keyword argument 'columns'"),
        (
            {"format": "e2m1", "timeout": 0},
            ValueError,
            "timeout must be more than 0 seconds; got 0",
        ),
    ):
        with pytest.raises(error, match=told):
            build_index("index", ["x.npy"], **how)


def test_places_that_are_taken_are_refused(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^a/b cannot be made: there is no folder .*/a$"):
        build_index("a/b", ["x.npy"], "e2m1")
    assert build_index("index", ["x.npy"], "e2m1") == 20
    told = "index is there and not empty: Index.open opens an index"
    with pytest.raises(FileExistsError, match=f"^{told}$"):
        build_index("index", ["x.npy"], "e2m1")
    Path(".other.building").mkdir()
    holding = Holding(folder / ".other.building")
    with pytest.raises(InUseError, match=r"^.*/\.other\.building has one writer at a time, which"):
        build_index("other", ["x.npy"], "e2m1")
    holding.let_go()
    assert build_index("other", ["x.npy"], "e2m1") == 20


def test_a_source_that_changes_meanwhile_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(*given: Any) -> list[str]:
        np.save("x.npy", X[:19].numpy())
        return begin(*given)

    told = r"^.*/x\.npy has changed since the build began: build anew$"
    with monkeypatch.context() as patch:
        patch.setattr(building, "begin", begun)
        with pytest.raises(ValueError, match=told):
            build_index("index", ["x.npy"], "e2m1")
    assert build_index("index", ["x.npy"], "e2m1") == 19


def test_processes_without_a_group_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        RuntimeError, match=r"^2 processes were started \(WORLD_SIZE\), which have "
    ):
        build_index("index", ["x.npy"], "e2m1")
