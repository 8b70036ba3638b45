import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import minifloat as mf
from tests.support import oracles


def random_rows(format: mf.Format, rows: int, dim: int, seed: int = 0) -> mf.PackedVectors:
    x = torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))
    return mf.quantize(x, format)


def assert_equal(found: mf.PackedVectors, expected: mf.PackedVectors) -> None:
    assert (found.format, found.dim) == (expected.format, expected.dim)
    assert torch.equal(found.codes, expected.codes)
    bits, expected_bits = (v.reciprocal_norms.view(torch.int32) for v in (found, expected))
    assert torch.equal(bits, expected_bits)


def write(path: Path, metadata: dict[str, str] | None = None, **tensors: torch.Tensor) -> None:
    """Write a file of 3 rows of dim 9 in E2M1, but for what the arguments say."""
    whole = {"codes": torch.zeros(3, 5, dtype=torch.uint8), "reciprocal_norms": torch.zeros(3)}
    facts = {"format": "e2m1", "dim": "9", "version": "1"}
    save_file({**whole, **tensors}, path, {**facts, **(metadata or {})})


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


def test_what_is_no_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    random_rows(mf.E2M1, 9, 33).save(path)
    whole = path.read_bytes()
    for content in (b"", b"not a safetensors file", whole[:20], whole[:-1], whole + b"0"):
        path.write_bytes(content)
        message = f"{path} is not a safetensors file: "
        with pytest.raises(ValueError, match=f"^{re.escape(message)}."):
            mf.PackedVectors.load(path)


def test_headers_that_are_huge_deep_or_double_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    random_rows(mf.E2M1, 9, 33).save(path)
    whole = path.read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header, rows = whole[8 : 8 + size].rstrip(), whole[8 + size :]
    codes = b'"codes":{"dtype":"U8","shape":[9,17],"data_offsets":[0,153]}'
    facts = b'"__metadata__":{"format":"e5m2","dim":"33","version":"1"}'
    deep = b'{"__metadata__":' + b"[" * 100_000
    double = (header[:-1] + b"," + more + b"}" for more in (codes, facts))
    for length, text in ((1 << 62, header), *((len(one), one) for one in (deep, *double))):
        path.write_bytes(length.to_bytes(8, "little") + text + rows)
        with pytest.raises(ValueError, match=r"is not a safetensors file: .*header"):
            mf.PackedVectors.load(path)


def test_a_header_that_says_a_fact_twice_is_refused(tmp_path: Path) -> None:
    """Its library takes the last of them."""
    path = tmp_path / "rows"
    random_rows(mf.E2M1, 9, 33).save(path)
    whole = path.read_bytes()
    size = int.from_bytes(whole[:8], "little")
    text = whole[8 : 8 + size].replace(b'"dim":"33"', b'"dim":"34","dim":"33"')
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size :])
    message = f"{path} cannot be read: key 'dim' is there twice"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mf.PackedVectors.load(path)


@pytest.mark.parametrize("read", [mf.PackedVectors.load, mf.PackedVectors.verify])
@pytest.mark.parametrize("kind", ["folder", "device", "pipe"])
def test_what_is_no_file_is_not_read(
    tmp_path: Path, read: Callable[[Path], object], kind: str
) -> None:
    path = Path("/dev/null") if kind == "device" else tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    message = f"{path} cannot be read: it must be a file; it is a folder, pipe or device"
    with pytest.raises(OSError, match=f"^{re.escape(message)}$"):
        read(path)


def test_a_file_that_is_cut_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows"
    random_rows(mf.E2M1, 9, 33).save(path)
    size, read = path.stat().st_size, os.preadv

    def cut(file: int, buffers: list[memoryview], at: int) -> int:
        os.truncate(path, size - 3)
        return read(file, buffers, at)

    monkeypatch.setattr(os, "preadv", cut)
    message = (
        f"{path} was cut short while it was read: it ends at byte {size - 3} and had at "
        f"least {size} bytes; load it again"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mf.PackedVectors.load(path, mmap=False)


def test_a_file_that_lacks_something_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    save_file({"weights": torch.zeros(3)}, path)
    lacks = "format, dim, version, codes, reciprocal_norms"
    message = f"{path} holds no packed vectors: it lacks {lacks}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mf.PackedVectors.load(path)
    save_file({"codes": torch.zeros(3)}, path, {"format": "e2m1", "version": "1"})
    message = f"{path} holds no packed vectors: it lacks dim, reciprocal_norms"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mf.PackedVectors.load(path)


def test_metadata_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    formats = ", ".join(map(str, mf.FORMATS))
    for metadata, message in (
        ({"version": "2"}, "has version '2'; this reads '1'"),
        ({"dim": "0"}, "has dim '0'; it must be a number above 0"),
        ({"dim": "-9"}, "has dim '-9'; it must be a number above 0"),
        ({"dim": "9.0"}, "has dim '9.0'; it must be a number above 0"),
        ({"format": "e4m4"}, f"cannot be read: format must be one of {formats}; got 'e4m4'"),
    ):
        write(path, metadata)
        with pytest.raises(ValueError, match=f"^{re.escape(f'{path} {message}')}$"):
            mf.PackedVectors.load(path)
    write(path)
    assert len(mf.PackedVectors.load(path)) == 3


def test_tensors_of_another_shape_or_type_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    must = "must have codes of 5 bytes a row for dim 9 in e2m1, and a reciprocal norm for each"
    byte, single = torch.uint8, torch.float32
    for codes, norms in (
        ((3, 4), (3,)),
        ((3, 6), (3,)),
        ((3, 5), (4,)),
        ((15,), (15,)),
        ((3, 5), (3, 1)),
        ((3, 5, 1), (3,)),
        ((), ()),
    ):
        write(path, codes=torch.zeros(codes, dtype=byte), reciprocal_norms=torch.zeros(norms))
        message = f"{path} {must}; got shapes {(codes, norms)}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.PackedVectors.load(path)
    for codes_type, norms_type, given in (
        (torch.int8, single, "I8 and F32"),
        (byte, torch.float64, "U8 and F64"),
        (byte, byte, "U8 and U8"),
    ):
        write(
            path,
            codes=torch.zeros((3, 5), dtype=codes_type),
            reciprocal_norms=torch.zeros(3, dtype=norms_type),
        )
        message = f"{path} must hold U8 and F32; got {given}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.PackedVectors.load(path)
