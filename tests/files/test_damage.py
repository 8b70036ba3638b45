"""Damaged files: what is refused at once, what `verify` finds, and which rows it names."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import minifloat as mf
from minifloat.backends import implementation
from minifloat.files import checksums, norms
from tests.files.test_storage import assert_equal, random_rows
from tests.support.paths import ROOT

ROWS, DIM = 40, 9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows of a block, where a row has 5 bytes."""
    monkeypatch.setattr(checksums, "_BLOCK_BYTES", 35)
    return 7


def metadata_of(path: Path) -> dict[str, str]:
    content = path.read_bytes()
    found: dict[str, str] = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])[
        "__metadata__"
    ]
    return found


def rewrite(path: Path, change: Callable[[dict[str, torch.Tensor], dict[str, str]], Any]) -> None:
    """Change the tensors or the metadata of a file."""
    tensors, metadata = load_file(path), metadata_of(path)
    change(tensors, metadata)
    save_file(tensors, path, metadata)


def without_checksums(path: Path) -> None:
    """Make a file what older versions wrote."""
    rewrite(
        path,
        lambda _, metadata: [metadata.pop(key) for key in list(metadata) if key.startswith("crc")],
    )


def refused(load: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        load()


def test_a_sound_file_is_verified(format: mf.Format, path: Path, small_blocks: int) -> None:
    for rows in (0, 1, 50):
        for dim in (1, 9, 192):
            saved = random_rows(format, rows, dim)
            saved.save(path)
            assert mf.PackedVectors.verify(path) is True
            assert mf.PackedVectors.verify(str(path)) is True
            for mmap in (True, False):
                assert_equal(mf.PackedVectors.load(path, mmap=mmap, verify=True), saved)


@pytest.mark.parametrize("format", [mf.E4M3, mf.E2M1], ids=str)
def test_every_flipped_bit_is_found(format: mf.Format, path: Path) -> None:
    saved = random_rows(format, 3, DIM)
    saved.save(path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for bit in range(8 * header, 8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))} is damaged"):
            mf.PackedVectors.verify(path)
    for bit in range(8 * header):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        # Bits of no meaning, such as the case of a format's name.
        with suppress(ValueError):
            assert_equal(mf.PackedVectors.load(path, verify=True), saved)


def test_damaged_rows_are_named(path: Path, small_blocks: int) -> None:
    saved = random_rows(mf.E2M1, ROWS, DIM)
    sums = {
        name: metadata_of_saved(saved, path)[f"crc32_{name}"]
        for name in ("codes", "reciprocal_norms")
    }
    assert {len(text) for text in sums.values()} == {8 * 6}

    def damage(**rows: int) -> Callable[[dict[str, torch.Tensor], dict[str, str]], None]:
        def change(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
            for name, row in rows.items():
                # The second code, which no row of these has as zero, and the last bit of a norm.
                tensors[name].view(torch.uint8).view(ROWS, -1)[row, 0] ^= (
                    0x40 if name == "codes" else 1
                )

        return change

    def sign(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
        tensors["codes"][[5, 39], 0] ^= 8

    start, other = f"{path} is damaged: the", "have another CRC-32 than the file says"
    norm = "the first whose norm is not that of its codes is row"
    for change, message in (
        (damage(codes=9), f"{start} codes of rows 7 to 13 {other}, {norm} 9; 1 of 6"),
        (
            damage(reciprocal_norms=9),
            f"{start} reciprocal_norms of rows 7 to 13 {other}, {norm} 9; 1 of 6",
        ),
        (damage(codes=39), f"{start} codes of rows 35 to 39 {other}, {norm} 39; 1 of 6"),
        (
            damage(codes=30, reciprocal_norms=9),
            f"{start} reciprocal_norms of rows 7 to 13 {other}, {norm} 9; 2 of 6",
        ),
        (
            damage(codes=0, reciprocal_norms=2),
            f"{start} codes and reciprocal_norms of rows 0 to 6 {other}, {norm} 0; 1 of 6",
        ),
        (sign, f"{start} codes of rows 0 to 6 {other}, no norm tells which; 2 of 6"),
    ):
        saved.save(path)
        rewrite(path, change)
        for mmap in (True, False):
            assert len(mf.PackedVectors.load(path, mmap=mmap)) == ROWS
            load = partial(mf.PackedVectors.load, path, mmap=mmap, verify=True)
            refused(load, f"{message} blocks of rows are damaged")
        refused(lambda: mf.PackedVectors.verify(path), f"{message} blocks of rows are damaged")


def metadata_of_saved(saved: mf.PackedVectors, path: Path) -> dict[str, str]:
    saved.save(path)
    return metadata_of(path)


def test_rows_of_another_format_dim_or_place_are_found(path: Path, small_blocks: int) -> None:
    def move_blocks(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
        for name, tensor in tensors.items():
            tensors[name] = torch.cat([tensor[7:14], tensor[:7], tensor[14:]])

    # Zeros have as many bytes in dim 10, or in another format, and no norm tells.
    zeros = mf.quantize(torch.zeros(ROWS, DIM), mf.E2M1)
    none = mf.quantize(torch.zeros(0, DIM), mf.E2M1)
    eight_bits = mf.quantize(torch.zeros(ROWS, DIM), mf.E4M3)
    for saved, change in (
        (random_rows(mf.E2M1, ROWS, DIM), move_blocks),
        (zeros, lambda _, metadata: metadata.update(dim="10")),
        (none, lambda _, metadata: metadata.update(dim="10")),
        (eight_bits, lambda _, metadata: metadata.update(format="e5m2")),
    ):
        saved.save(path)
        rewrite(path, change)
        assert len(mf.PackedVectors.load(path)) == len(saved)
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))} is damaged: the codes"):
            mf.PackedVectors.verify(path)


def test_checksums_that_are_none_are_refused(path: Path, small_blocks: int) -> None:
    codes, norms, rows = "crc32_codes", "crc32_reciprocal_norms", "crc32_block_rows"
    must = "for 40 rows in blocks of 7 it must be 48 hexadecimal digits"
    for change, message in (
        ({codes: None}, f"has checksums, but lacks {codes}"),
        ({rows: None, norms: None}, f"has checksums, but lacks {rows}, {norms}"),
        ({rows: "0"}, f"has {rows} '0'; it must be a number above 0"),
        ({rows: "7 "}, f"has {rows} '7 '; it must be a number above 0"),
        ({rows: "9" * 20}, f"has {rows} '{'9' * 20}'; it must be a number above 0"),
        ({codes: "abc"}, f"has {codes} 'abc' of 3 characters; {must}"),
        ({norms: "0" * 56}, f"has {norms} '0000000000000000' of 56 characters; {must}"),
        ({norms: "F" * 48}, f"has {norms} 'FFFFFFFFFFFFFFFF' of 48 characters; {must}"),
    ):
        random_rows(mf.E2M1, ROWS, DIM).save(path)

        def edit(_: Any, metadata: dict[str, str], change: Any = change) -> None:
            metadata.update(change)
            for key in [key for key, value in change.items() if value is None]:
                del metadata[key]

        rewrite(path, edit)
        refused(lambda: mf.PackedVectors.load(path), f"{path} {message}")


@pytest.mark.parametrize("mmap", [True, False])
def test_norms_that_no_rows_have_are_refused(format: mf.Format, mmap: bool, path: Path) -> None:
    least = np.nextafter(np.float32(1 / (format.max * 3)), np.float32(0))
    largest = 1 / format.smallest_subnormal
    zero = "0" if format.specials == "none" else "0, NaN"
    allowed = f"for dim 9 in {format} it must be {zero} or from {least:.6g} to {largest:g}"
    wrong = [1e30, -1.0, -0.0, torch.inf, -torch.inf, 1.01 * largest, 0.99 * float(least), 1e-40]
    for number in [*wrong, *([torch.nan] if format.specials == "none" else [])]:

        def spoil(tensors: dict[str, torch.Tensor], _: Any, number: float = number) -> None:
            tensors["reciprocal_norms"][17] = number

        random_rows(format, ROWS, 9).save(path)
        rewrite(path, spoil)
        given = f"{torch.tensor(number).item():g}"
        message = f"{path} is damaged: row 17 has reciprocal norm {given}; {allowed}"
        refused(lambda: mf.PackedVectors.load(path, mmap=mmap), message)
        without_checksums(path)
        refused(lambda: mf.PackedVectors.load(path, mmap=mmap), message)


def test_norms_that_no_rows_have_are_not_saved(path: Path) -> None:
    rows = random_rows(mf.E2M1, 3, DIM)
    rows.reciprocal_norms[1] = -1
    allowed = "for dim 9 in e2m1 it must be 0 or from 0.0555556 to 2"
    refused(
        lambda: rows.save(path),
        f"{path} cannot be written: row 1 has reciprocal norm -1; {allowed}",
    )
    assert not path.exists()


def test_the_longest_and_the_shortest_rows_are_loaded(format: mf.Format, path: Path) -> None:
    for dim in (1, 2, 3, 9, 192, 511):
        x = torch.zeros(4, dim)
        x[0], x[1, 0], x[2] = format.max, format.smallest_subnormal, -format.max
        saved = mf.quantize(x, format, scale="none")
        saved.save(path)
        assert_equal(mf.PackedVectors.load(path, verify=True), saved)


def test_a_norm_far_from_the_first_is_looked_at(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(norms, "_CHUNK", 16)
    x = torch.ones(ROWS, DIM)
    x[::5] = 0
    saved = mf.quantize(x, mf.E4M3)
    saved.save(path)
    assert_equal(mf.PackedVectors.load(path), saved)

    def spoil(tensors: dict[str, torch.Tensor], _: Any) -> None:
        tensors["reciprocal_norms"][[20, 33, 39]] = torch.tensor([torch.nan, -2.0, -1.0])

    rewrite(path, spoil)
    with pytest.raises(ValueError, match=" is damaged: row 33 has reciprocal norm -2; "):
        mf.PackedVectors.load(path)


def test_files_without_checksums_are_loaded_and_proven_as_far_as_norms_go(
    format: mf.Format, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(norms, "_CHUNK_BYTES", 64)
    saved = random_rows(format, ROWS, DIM)
    saved.save(path)
    without_checksums(path)
    assert_equal(mf.PackedVectors.load(path), saved)
    assert mf.PackedVectors.verify(path) is False
    warning = (
        f"{path} has no checksums: its reciprocal norms are those of its codes, but damage that "
        "keeps them, such as another sign, would not be seen; save it anew"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(warning)}$") as caught:
        assert_equal(mf.PackedVectors.load(path, verify=True), saved)
    assert caught[0].filename == __file__

    def spoil(tensors: dict[str, torch.Tensor], _: Any) -> None:
        tensors["reciprocal_norms"][[21, 30]] *= 1 - 2**-20

    rewrite(path, spoil)
    norm = saved.reciprocal_norms[21] * (1 - 2**-20)
    message = (
        f"{path} is damaged: row 21 has reciprocal norm {norm:g}, which is not that of its codes"
    )
    assert len(mf.PackedVectors.load(path)) == ROWS
    refused(lambda: mf.PackedVectors.verify(path), message)
    refused(lambda: mf.PackedVectors.load(path, verify=True), message)


def test_norms_of_any_backend_are_those_of_the_codes(format: mf.Format) -> None:
    """Exactly where sums of squares are integers, else to the last bit."""
    codes = random_rows(format, 500, 511).codes
    found = implementation("eager", "reciprocal_norms")(codes, format.name, 511)
    assert norms.first_wrong(codes, found, format, 511) is None
    found.view(torch.int32)[77] += 3 if format.lane == "float" else 1
    assert norms.first_wrong(codes, found, format, 511) == 77


def test_older_readers_find_what_they_know(path: Path) -> None:
    saved = random_rows(mf.E2M1, ROWS, DIM)
    saved.save(path)
    tensors, metadata = load_file(path), metadata_of(path)
    assert tensors.keys() == {"codes", "reciprocal_norms"}
    assert torch.equal(tensors["codes"], saved.codes)
    assert torch.equal(tensors["reciprocal_norms"], saved.reciprocal_norms)
    assert metadata.items() >= {"format": "e2m1", "dim": "9", "version": "1"}.items()


def test_headers_stay_small(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checksums.block_rows(1 << 30, 128) * 4096 == 1 << 30
    assert checksums.block_rows(1000, 128) == 2048
    assert checksums.block_rows(5, 1 << 20) == 1
    monkeypatch.setattr(checksums, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(checksums, "_MOST_BLOCKS", 8)
    saved = random_rows(mf.E2M1, ROWS, DIM)
    assert len(metadata_of_saved(saved, path)["crc32_codes"]) == 8 * 8
    assert mf.PackedVectors.verify(path)


def test_random_damage_of_files_is_found() -> None:
    command = [sys.executable, "-m", "tests.proofs.damaged_files", "3000", "--processes", "1"]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.match(r"3,000 damaged files: .* [\d,]+ refused, ", run.stdout)
