"""Files that are no packed vectors, and why they are not loaded."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import minifloat as mf
from tests.support.rows import random_rows


def write(path: Path, metadata: dict[str, str] | None = None, **tensors: torch.Tensor) -> None:
    """Write a file of 3 rows of dim 9 in E2M1, but for what the arguments say."""
    whole = {"codes": torch.zeros(3, 5, dtype=torch.uint8), "reciprocal_norms": torch.zeros(3)}
    facts = {"format": "e2m1", "dim": "9", "version": "1"}
    save_file({**whole, **tensors}, path, {**facts, **(metadata or {})})


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
        ({"version": "3"}, "has version '3'; this reads '1' and '2'"),
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
        (torch.int8, single, "F32, I8"),
        (byte, torch.float64, "F64, U8"),
        (byte, byte, "U8, U8"),
    ):
        write(
            path,
            codes=torch.zeros((3, 5), dtype=codes_type),
            reciprocal_norms=torch.zeros(3, dtype=norms_type),
        )
        message = f"{path} must hold reciprocal_norms, codes as F32, U8; got {given}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            mf.PackedVectors.load(path)
