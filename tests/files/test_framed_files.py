import json
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from tests.support.rows import normal


@pytest.fixture(params=["frame", "unbiased"])
def rows(request: pytest.FixtureRequest, format: mf.Format) -> mf.PackedVectors:
    x = normal(60, 48) + 1
    if request.param == "unbiased":
        return mf.quantize(x, format, estimator="unbiased")
    return mf.quantize(x, format, frame=mf.Frame.fit(x, 2))


@pytest.mark.parametrize("mmap", [True, False])
def test_a_saved_frame_is_loaded(rows: mf.PackedVectors, mmap: bool, tmp_path: Path) -> None:
    rows.save(tmp_path / "rows")
    found = mf.PackedVectors.load(tmp_path / "rows", mmap=mmap, verify=True)
    assert found == rows
    assert found.estimator == rows.estimator
    assert repr(found.frame) == repr(rows.frame)
    assert mf.PackedVectors.verify(tmp_path / "rows")
    assert torch.equal(mf.scores(found, rows), mf.scores(rows, rows))
    found[5:9].save(tmp_path / "rows")
    assert mf.PackedVectors.load(tmp_path / "rows") == rows[5:9]
    rows[:0].save(tmp_path / "rows")
    assert mf.PackedVectors.load(tmp_path / "rows", verify=True) == rows[:0]


def test_plain_rows_are_saved_as_before(tmp_path: Path) -> None:
    mf.quantize(normal(5), "e2m1").save(tmp_path / "rows")
    header = described(tmp_path / "rows")
    assert header["__metadata__"]["version"] == "1"
    assert sorted(header) == ["__metadata__", "codes", "reciprocal_norms"]


def described(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    return header


def rewritten(path: Path, change: Any) -> None:
    """Write a file anew with another header."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = described(path)
    change(header)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])


def test_a_damaged_value_anywhere_is_found(tmp_path: Path) -> None:
    x = normal(60, 48) + 1
    path = tmp_path / "rows"
    mf.quantize(x, "e2m1", frame=mf.Frame.fit(x, 2)).save(path)
    whole, header = path.read_bytes(), described(path)
    start = 8 + int.from_bytes(whole[:8], "little")
    for name in ("reciprocal_norms", "coordinates", "frame_axes", "codes"):
        begin, end = header[name]["data_offsets"]
        for at in (begin, (begin + end) // 2, end - 1):
            damaged = bytearray(whole)
            damaged[start + at] ^= 1
            path.write_bytes(damaged)
            with pytest.raises(ValueError, match="is damaged"):
                mf.PackedVectors.verify(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("estimator", "mean", "estimator must be one of norm, unbiased; got 'mean'"),
        ("frame", "{}", "frame '{}' is none"),
        ("frame", "[" * 100_000, "is none"),
        ("frame", '{"rotate": true}', "is none"),
        ("version", "3", "has version '3'; this reads '1' and '2'"),
    ],
)
def test_what_a_file_cannot_say_is_refused(
    key: str, value: str, message: str, tmp_path: Path
) -> None:
    x = normal(60, 48) + 1
    path = tmp_path / "rows"
    mf.quantize(x, "e2m1", frame=mf.Frame.fit(x)).save(path)
    rewritten(path, lambda header: header["__metadata__"].update({key: value}))
    with pytest.raises(ValueError, match=message.replace("{", r"\{").replace("}", r"\}")):
        mf.PackedVectors.load(path)


@pytest.mark.parametrize(
    ("fact", "value"),
    [("rotate", 1), ("seed", -1), ("shares", [2.5]), ("next_share", None), ("digest", "0" * 16)],
)
def test_facts_of_no_frame_are_refused(fact: str, value: object, tmp_path: Path) -> None:
    x = normal(60, 48) + 1
    path = tmp_path / "rows"
    mf.quantize(x, "e2m1", frame=mf.Frame.fit(x)).save(path)

    def change(header: dict[str, Any]) -> None:
        facts = json.loads(header["__metadata__"]["frame"])
        header["__metadata__"]["frame"] = json.dumps(facts | {fact: value})

    rewritten(path, change)
    with pytest.raises(ValueError, match=r"is damaged|cannot be read"):
        mf.PackedVectors.load(path)


@pytest.mark.parametrize("name", ["coordinates", "frame_axes"])
def test_a_file_that_lacks_a_tensor_of_its_frame_is_refused(name: str, tmp_path: Path) -> None:
    x = normal(60, 48) + 1
    path = tmp_path / "rows"
    mf.quantize(x, "e2m1", frame=mf.Frame.fit(x)).save(path)

    def change(header: dict[str, Any]) -> None:
        header["other"] = header.pop(name)

    rewritten(path, change)
    with pytest.raises(ValueError, match=f"rows in a frame need {name}"):
        mf.PackedVectors.load(path)


def test_norms_and_coordinates_that_no_row_has_are_refused(tmp_path: Path) -> None:
    x = normal(60, 48) + 1
    rows = mf.quantize(x, "e2m1", frame=mf.Frame.fit(x))
    assert rows.coordinates is not None
    rows.reciprocal_norms[7] = -1
    with pytest.raises(ValueError, match=r"row 7 has -1 for its reciprocal norm"):
        rows.save(tmp_path / "rows")
    rows.reciprocal_norms[7] = 1
    rows.coordinates[9] = torch.nan
    with pytest.raises(ValueError, match=r"row 9 has coordinates \[nan\]"):
        rows.save(tmp_path / "rows")
