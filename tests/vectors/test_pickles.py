"""Packed vectors and formats that are copied, pickled, or saved by torch."""

import copy
import pickle
from io import BytesIO
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from tests.support.attack import Attack
from tests.support.rows import normal

pytestmark = pytest.mark.gpu


def saved_and_loaded(what: object) -> Any:
    file = BytesIO()
    torch.save(what, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_torch_saves_packed_vectors_and_loads_weights_only(
    format: mf.Format, tmp_path: Path
) -> None:
    rows = mf.quantize(normal(4, 9), format)
    rows.save(tmp_path / "rows.safetensors")
    mapped = mf.PackedVectors.load(tmp_path / "rows.safetensors")
    found = saved_and_loaded({"rows": rows, "some": rows[1:3], "mapped": mapped})
    assert found == {"rows": rows, "some": rows[1:3], "mapped": rows}
    assert found["rows"].format is format
    assert saved_and_loaded(format) is format


def test_copies_and_pickles_of_packed_vectors_are_equal(format: mf.Format) -> None:
    rows = mf.quantize(normal(4, 9), format)
    copies = [pickle.loads(pickle.dumps(rows, protocol)) for protocol in (2, 3, 4, 5)]
    for same in (*copies, copy.copy(rows), deep := copy.deepcopy(rows)):
        assert same == rows
        assert same.format is format
    assert deep.codes.data_ptr() != rows.codes.data_ptr()
    assert copy.copy(rows).codes.data_ptr() == rows.codes.data_ptr()


def test_copies_and_pickles_of_a_format_are_the_format_itself(format: mf.Format) -> None:
    assert format.values.size
    copies = [pickle.loads(pickle.dumps(format, protocol)) for protocol in range(6)]
    for same in (*copies, copy.copy(format), copy.deepcopy(format)):
        assert same is format


def test_a_file_that_holds_packed_vectors_and_a_call_is_refused(tmp_path: Path) -> None:
    victim, file = tmp_path / "victim", BytesIO()
    torch.save([mf.quantize(normal(4, 9), "e2m1"), Attack(victim)], file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(file, weights_only=True)
    assert not victim.exists()
    # The attack is one.
    file.seek(0)
    torch.load(file, weights_only=False)
    assert victim.exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dim": 0, "codes": torch.zeros(4, 0, dtype=torch.uint8)}, "got .*e4m3.* and 0"),
        ({"dim": 10**9}, r"must be uint8 \(4, 1000000000\) .* got torch.uint8 \(4, 9\)"),
        ({"dim": 9.0}, "a dim of at least 1; got .* and 9.0"),
        ({"dim": True}, "a dim of at least 1; got .* and True"),
        ({"codes": torch.zeros(4, 9)}, r"got torch.float32 \(4, 9\)"),
        ({"codes": torch.tensor(1, dtype=torch.uint8)}, r"got torch.uint8 \(\)"),
        (
            {"reciprocal_norms": torch.zeros(1)},
            r"float32 \(4,\) .* got torch.float32 \(1,\)",
        ),
        ({"reciprocal_norms": None}, "must be tensors; got Tensor and NoneType"),
        ({"format": "e4m3"}, "a format and a dim of at least 1; got 'e4m3' and 9"),
        ({"from_numpy": 1}, "from_numpy must be True or False; got 1"),
        ({"save": torch.Size}, "PackedVectors have codes, .*; got .*, save"),
    ],
)
def test_a_pickle_of_what_are_no_rows_is_refused(
    changed: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = mf.quantize(normal(4, 9), "e4m3")
    # As a stranger writes it: what `vars` has, whatever it is.
    monkeypatch.setattr(mf.PackedVectors, "__getstate__", lambda self: vars(self) | changed)
    with pytest.raises((ValueError, pickle.UnpicklingError), match=message):
        saved_and_loaded(rows)


def test_rows_of_no_values_are_refused_by_scores_and_searches() -> None:
    """A pickle may call the class itself; a kernel would divide by the bytes of a row."""
    codes = torch.zeros(4, 0, dtype=torch.uint8)
    rows = mf.PackedVectors(codes, torch.zeros(4), mf.FORMATS[0], 0)
    for ask in (lambda: mf.scores(rows, rows), lambda: mf.search(rows, rows, 1)):
        with pytest.raises(ValueError, match=r"^dim must be at least 1; got 0$"):
            ask()


def saved_by_torch(rows: mf.PackedVectors) -> bytes:
    file = BytesIO()
    torch.save(rows, file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["in memory", "mapped"])
def test_rows_are_written_and_copied_without_their_database(kind: str, tmp_path: Path) -> None:
    database = mf.quantize(normal(1000, 192), "e2m1")
    if kind == "mapped":
        database.save(tmp_path / "rows")
        database = mf.PackedVectors.load(tmp_path / "rows")
    for rows in (database[7], database[3:5], database[10:30:10], database[:], database[[1, 2]]):
        most = rows.nbytes + 2000
        assert len(pickle.dumps(rows)) < most
        assert len(saved_by_torch(rows)) < most + 1000
        for same in (
            copy.deepcopy(rows),
            pickle.loads(pickle.dumps(rows)),
            # As a queue or a pool of workers sends them.
            ForkingPickler.loads(ForkingPickler.dumps(rows)),
            torch.load(BytesIO(saved_by_torch(rows))),
        ):
            assert same == rows
            stored = (same.codes, same.reciprocal_norms)
            assert sum(t.untyped_storage().nbytes() for t in stored) == rows.nbytes
        rows.save(tmp_path / "some")
        assert (tmp_path / "some").stat().st_size < most
    assert copy.copy(database).codes.data_ptr() == database.codes.data_ptr()
