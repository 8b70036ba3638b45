"""Databases that no memory holds, or with rows beyond 4 GiB."""

import json
import mmap
import os
from pathlib import Path

import torch

import minifloat as mf
from tests.files.searched import DIM, ONLY_LINUX, queries

pytestmark = ONLY_LINUX


def write_zeros_but(path: Path, rows: int, places: list[int], some: mf.PackedVectors) -> None:
    """A file of rows of zeros, which takes no room on the disk, with some rows in their places."""
    width = some.codes.shape[1]
    norms_at = rows * width
    size = norms_at + 4 * rows
    facts = {"format": some.format.name, "dim": str(some.dim), "version": "1"}
    codes = {"dtype": "U8", "shape": [rows, width], "data_offsets": [0, norms_at]}
    norms = {"dtype": "F32", "shape": [rows], "data_offsets": [norms_at, size]}
    header = json.dumps({"__metadata__": facts, "codes": codes, "reciprocal_norms": norms})
    header += " " * (-len(header) % 8)
    start = 8 + len(header)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header.encode())
        file.truncate(start + size)
        for row, place in enumerate(places):
            file.seek(start + place * width)
            file.write(some.codes[row].numpy().tobytes())
            file.seek(start + norms_at + 4 * place)
            file.write(some.reciprocal_norms[row].numpy().tobytes())


def test_a_file_larger_than_the_memory_is_searched(tmp_path: Path) -> None:
    memory = os.sysconf("SC_PHYS_PAGES") * mmap.PAGESIZE
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    swap = int(facts["SwapTotal"].removesuffix("kB")) * 1024
    path, rows = tmp_path / "rows", (memory + swap) // (DIM // 2) * 5 // 4
    some = mf.quantize(queries(1), mf.E2M1)
    write_zeros_but(path, rows, [rows - 7], some)
    best, found = mf.search(some, mf.PackedVectors.load(path), 1, ranges=[(0, 9), (rows - 9, rows)])
    assert (best.item(), found.item()) == (mf.scores(some, some).item(), rows - 7)


def test_rows_beyond_4_gib_are_found(tmp_path: Path) -> None:
    path, rows = tmp_path / "rows", 9 << 22
    some = mf.quantize(queries(5), mf.E2M1)
    places = [0, (1 << 24) - 1, 1 << 25, (1 << 25) + 77, rows - 1]
    write_zeros_but(path, rows, places, some)
    database = mf.PackedVectors.load(path)
    expected = mf.scores(some, some)
    ranges = [(max(place - 40, 0), min(place + 41, rows)) for place in places]
    ranges[2:4] = [(ranges[2][0], ranges[3][1])]
    for count in (1, 5):
        best, found = mf.search(some[:count], database, 1, ranges=ranges)
        assert found.squeeze(1).tolist() == places[:count]
        assert torch.equal(best.squeeze(1), expected.diagonal()[:count])
    pairs = torch.tensor([[query, place] for query in range(5) for place in places])
    assert torch.equal(mf.scores(some, database, pairs=pairs), expected.flatten())
    assert torch.equal(database[places].codes, some.codes)
