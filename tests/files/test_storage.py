import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.support import oracles
from tests.support.rows import assert_equal, random_rows


def test_load_inverts_save(format: mf.Format, tmp_path: Path) -> None:
    for dim in (1, 9, 192, 511):
        for rows in (0, 1, 50):
            saved = random_rows(format, rows, dim)
            for path in (tmp_path / "rows", str(tmp_path / "rows.safetensors")):
                saved.save(path)
                loaded = mf.PackedVectors.load(path)
                assert_equal(loaded, saved)
                assert_equal(mf.PackedVectors.load(Path(path)), saved)


def test_nan_and_zero_norms_are_kept(tmp_path: Path) -> None:
    x = torch.tensor([[0.0, 0.0], [1e9, 1.0], [1.0, 2.0]])
    saved = mf.quantize(x, mf.E4M3, scale="none", saturate=False)
    assert saved.reciprocal_norms.isnan().tolist() == [False, True, False]
    saved.save(tmp_path / "rows")
    assert_equal(mf.PackedVectors.load(tmp_path / "rows"), saved)


def test_loaded_rows_are_scored_as_those_that_were_saved(
    format: mf.Format, backend: str, tmp_path: Path
) -> None:
    saved = random_rows(format, 70, 33)
    saved.save(tmp_path / "rows")
    loaded = mf.PackedVectors.load(tmp_path / "rows")
    assert torch.equal(mf.scores(loaded, saved), mf.scores(saved, saved))
    for found, expected in zip(
        mf.search(saved[:3], loaded, 9), mf.search(saved[:3], saved, 9), strict=True
    ):
        assert torch.equal(found, expected)


def test_views_of_rows_are_saved_alone(format: mf.Format, tmp_path: Path) -> None:
    rows = random_rows(format, 20, 33)
    rows[5:9].save(tmp_path / "view")
    assert_equal(mf.PackedVectors.load(tmp_path / "view"), rows[5:9])
    strided = rows[::3]
    strided.save(tmp_path / "strided")
    assert_equal(mf.PackedVectors.load(tmp_path / "strided"), strided)


def test_the_file_is_what_the_documentation_says(format: mf.Format, tmp_path: Path) -> None:
    rows = random_rows(format, 4, 13)
    rows.save(tmp_path / "rows")
    content = (tmp_path / "rows").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    data = content[8 + length :]
    metadata = header.pop("__metadata__")
    found = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        found[name] = (tensor["dtype"], tensor["shape"], data[begin:end])
    codes = rows.codes.numpy().tobytes()
    norms = rows.reciprocal_norms.numpy().astype("<f4").tobytes()
    bytes_of_a_row = (13 * format.bits + 7) // 8
    facts = f"{format.name} 13 4".encode()
    assert metadata == {
        "format": format.name,
        "dim": "13",
        "version": "1",
        "crc32_block_rows": str(2**18 // bytes_of_a_row),
        "crc32_codes": f"{crc32(facts + codes):08x}",
        "crc32_reciprocal_norms": f"{crc32(facts + norms):08x}",
    }
    assert found == {
        "codes": ("U8", [4, bytes_of_a_row], codes),
        "reciprocal_norms": ("F32", [4], norms),
    }
    assert len(data) == len(codes) + len(norms)
    values = oracles.decode(oracles.unpack(rows.codes.numpy(), format.bits, 13), format)
    np.testing.assert_array_equal(rows.dequantize().numpy(), values)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists what a process has mapped")
def test_loaded_rows_are_mapped_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    random_rows(mf.E2M1, 2000, 33).save(path)
    loaded = mf.PackedVectors.load(path)
    maps = Path("/proc/self/maps").read_text()
    spans = [line.split()[0].split("-") for line in maps.splitlines() if line.endswith(str(path))]
    for tensor in (loaded.codes, loaded.reciprocal_norms):
        address = tensor.data_ptr()
        assert any(int(low, 16) <= address < int(high, 16) for low, high in spans)


def test_a_file_can_be_replaced_while_it_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    first, second = random_rows(mf.E3M2, 300, 33, 1), random_rows(mf.E2M3, 5, 9, 2)
    first.save(path)
    loaded = mf.PackedVectors.load(path)
    second.save(path)
    assert_equal(loaded, first)
    assert_equal(mf.PackedVectors.load(path), second)
    loaded.save(path)
    assert_equal(mf.PackedVectors.load(path), first)
    path.unlink()
    assert_equal(loaded, first)


def test_a_change_of_loaded_rows_does_not_reach_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    saved = random_rows(mf.E3M2, 30, 33)
    saved.save(path)
    loaded = mf.PackedVectors.load(path)
    loaded.codes.zero_()
    assert_equal(mf.PackedVectors.load(path), saved)


def test_tensors_may_lie_in_any_order_and_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    saved = random_rows(mf.E3M2, 5, 33)
    codes = saved.codes.numpy().tobytes()
    norms = saved.reciprocal_norms.numpy().tobytes()
    for gap in range(4):
        begin = len(codes) + gap
        header = json.dumps(
            {
                "__metadata__": {"format": "e3m2", "dim": "33", "version": "1"},
                "codes": {"dtype": "U8", "shape": [5, 25], "data_offsets": [0, len(codes)]},
                "gap": {"dtype": "U8", "shape": [gap], "data_offsets": [len(codes), begin]},
                "reciprocal_norms": {
                    "dtype": "F32",
                    "shape": [5],
                    "data_offsets": [begin, begin + len(norms)],
                },
            }
        ).encode()
        path.write_bytes(len(header).to_bytes(8, "little") + header + codes + bytes(gap) + norms)
        assert_equal(mf.PackedVectors.load(path), saved)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: int, data: bytes, at: int) -> int:
        raise OSError("the disk is full")

    old = random_rows(mf.E2M1, 9, 33)
    old.save(tmp_path / "rows")
    monkeypatch.setattr(os, "pwrite", fail)
    for name in ("rows", "new"):
        with pytest.raises(OSError, match=r"^the disk is full$"):
            random_rows(mf.E2M1, 5, 33, 1).save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]
    assert_equal(mf.PackedVectors.load(tmp_path / "rows"), old)


def test_a_save_leaves_nothing_but_its_file(tmp_path: Path) -> None:
    for _ in range(2):
        random_rows(mf.E2M1, 9, 33).save(tmp_path / "rows")
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_a_missing_folder_or_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "rows"
    message = f"{missing} cannot be written: there is no folder {missing.parent}"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        random_rows(mf.E2M1, 2, 3).save(missing)
    with pytest.raises(FileNotFoundError, match=re.escape(str(missing))):
        mf.PackedVectors.load(missing)
