"""Damaged files: what is refused at once, what `verify` finds, and which rows it names."""

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import minifloat as mf
from minifloat.files import checksums
from tests.files.rewritten import DIM, ROWS, metadata_of, refused, rewrite
from tests.support.paths import ROOT
from tests.support.rows import assert_equal, random_rows


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
