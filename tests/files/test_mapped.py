"""Databases in files: what a search maps, reads and holds in memory, counted in new processes."""

import ctypes
import json
import mmap
import multiprocessing
import os
import pickle
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import safetensors
import torch

import minifloat as mf
from minifloat.files import norms

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux says what memory a process holds"
)
counts_memory = pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""), reason="sanitizers hold memory of their own"
)

DIM = 256
ROWS = 1 << 19
MIB = 1 << 20

Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 66 MiB, in E2M1: 64 of codes, 2 of norms."""
    path = tmp_path_factory.mktemp("mapped") / "rows"
    codes = np.random.default_rng(0).integers(0, 256, (ROWS, DIM // 2), np.uint8)
    packed = torch.from_numpy(codes)
    norms = torch.ops.minifloat.reciprocal_norms(packed, "e2m1", DIM)
    mf.PackedVectors(packed, norms, mf.E2M1, DIM).save(path)
    return path


def alone(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """What a function gives in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result(timeout=100)


def queries(count: int = 70) -> torch.Tensor:
    return torch.randn(count, DIM, generator=torch.Generator().manual_seed(count))


def load(path: Path) -> mf.PackedVectors:
    """The rows of a file, after a first search has made what later ones use again."""
    torch.set_num_threads(1)
    database = mf.PackedVectors.load(path)
    for count in (1, 70):
        mf.search(queries(count), database[:1000], 10)
    return database


class Mapping:
    """Where this process has mapped a file."""

    def __init__(self, path: Path) -> None:
        lines = Path("/proc/self/smaps").read_text().splitlines()
        self.header = next(line for line in lines if line.endswith(str(path)))
        self.begin, self.end = (int(end, 16) for end in self.header.split()[0].split("-"))

    def drop(self) -> None:
        """Unmap all pages, which come back from the file when they are used again."""
        libc = ctypes.CDLL(None, use_errno=True)
        size = ctypes.c_size_t(self.end - self.begin)
        if libc.madvise(ctypes.c_void_p(self.begin), size, mmap.MADV_DONTNEED):
            raise OSError(ctypes.get_errno(), "madvise failed")

    def mapped(self, kind: str = "Rss") -> int:
        """Bytes that are mapped now."""
        lines = Path("/proc/self/smaps").read_text().split(self.header)[1].splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(f"{kind}:")).split()[1])

    @property
    def pages(self) -> int:
        return (self.end - self.begin) // mmap.PAGESIZE


def faults() -> int:
    """Pages, or runs of them, that were mapped for this thread so far."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_minflt + used.ru_majflt


def answers(database: mf.PackedVectors) -> list[torch.Tensor]:
    """Few and many queries, float and packed, in all rows and in some."""
    mask = torch.zeros(len(database), dtype=torch.bool)
    mask[::3] = True
    some = [(5, 7), (len(database) // 3, len(database) - 9)]
    return [
        *mf.search(queries(1), database, 10),
        *mf.search(queries(), database, 10),
        *mf.search(database[:1], database, 10),
        *mf.search(database[-70:], database, 10),
        *mf.search(queries(3), database, 10, mask=mask),
        *mf.search(queries(), database, 10, ranges=some),
    ]


def search_with_little_memory(path: Path, spare: int) -> tuple[bool, bool, int]:
    """Whether a copy of the rows fails, whether searches are right, and what they changed."""
    database = load(path)
    answers(database[:1000])
    status = Path("/proc/self/status").read_text().splitlines()
    data = 1024 * int(next(line for line in status if line.startswith("VmData:")).split()[1])
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data + spare, before[1]))
    try:
        refused = not bytearray(database.codes.nbytes)
    except MemoryError:
        refused = True
    found = answers(database)
    resource.setrlimit(resource.RLIMIT_DATA, before)
    codes, norms = database.codes.clone(), database.reciprocal_norms.clone()
    copy = mf.PackedVectors(codes, norms, database.format, database.dim)
    right = all(map(torch.equal, found, answers(copy)))
    return refused, right, Mapping(path).mapped("Anonymous")


@counts_memory
def test_a_search_needs_no_memory_for_the_database(path: Path) -> None:
    refused, right, changed = alone(search_with_little_memory, path, 16 * MIB)
    assert refused
    assert right
    assert changed == 0


def count_faults(path: Path, count: int) -> tuple[int, int, int, int]:
    """Pages of a file, bytes and faults of a search that maps it, and faults of those after."""
    database, mapping = load(path), Mapping(path)

    def search() -> int:
        start = faults()
        mf.search(queries(count), database, 10)
        return faults() - start

    search()
    mapping.drop()
    before = mapping.mapped()
    first = search()
    mapped = mapping.mapped() - before
    # A kernel that moves pages between memories takes some away now and then.
    return mapping.pages, mapped, first, min(search() for _ in range(3))


@counts_memory
@pytest.mark.parametrize("count", [1, 70])
def test_a_search_maps_each_page_once(path: Path, count: int) -> None:
    pages, mapped, first, again = alone(count_faults, path, count)
    # The pages at the ends need not hold rows or norms.
    assert mapped >= (pages - 2) * mmap.PAGESIZE
    assert 0 < first <= pages + 100
    assert again <= first // 4


def count_faults_while_pages_go(path: Path) -> tuple[int, int, int]:
    """Faults of one pass, and of a search from which pages are taken meanwhile so many times."""
    database, mapping, many = load(path), Mapping(path), queries()
    start = faults()
    mapping.drop()
    mf.search(many, database, 10)
    one_pass = faults() - start
    begin = time.perf_counter()
    mf.search(many, database, 10)
    seconds = time.perf_counter() - begin
    stop, drops = threading.Event(), [0]

    def drop() -> None:
        while not stop.wait(seconds / 16):
            mapping.drop()
            drops[0] += 1

    thread = threading.Thread(target=drop)
    mapping.drop()
    thread.start()
    start = faults()
    mf.search(many, database, 10)
    found = faults() - start
    stop.set()
    thread.join()
    return one_pass, drops[0], found


@counts_memory
def test_many_queries_read_each_page_once(path: Path) -> None:
    one_pass, drops, found = alone(count_faults_while_pages_go, path)
    # Of the pages that were taken only those come back that are in use. Another pass would
    # bring back all of them.
    assert found <= 2 * one_pass + 8 * drops + 100


def bytes_mapped(path: Path, first: int, last: int) -> list[int]:
    """Bytes that searches of a few rows map: by ranges, by a mask, as a slice and in pairs."""
    database, mapping = load(path), Mapping(path)
    mask = torch.zeros(len(database), dtype=torch.bool)
    mask[first:last] = True
    pairs = torch.tensor([[0, first], [1, last - 1]])
    found = []
    for work in (
        lambda: mf.search(queries(), database, 10, ranges=[(first, last)]),
        lambda: mf.search(queries(), database, 10, mask=mask),
        lambda: mf.search(queries(), database[first:last], 10),
        lambda: mf.scores(queries(), database, pairs=pairs),
    ):
        mapping.drop()
        work()
        found.append(mapping.mapped())
    return found


@counts_memory
def test_rows_that_take_no_part_are_not_read(path: Path) -> None:
    first, last = ROWS // 2, ROWS // 2 + 10_000
    # The kernel maps what lies near a page too, up to a huge page around codes and norms.
    for mapped in alone(bytes_mapped, path, first, last):
        assert 0 < mapped <= 16 * MIB


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


def refusals(path: Path, change: str) -> list[str]:
    """What happens to work on a mapped file, all that shares its memory, and what does not."""
    path = path.with_name(f"changed-{change}")
    saved = mf.quantize(queries(500), mf.E2M1)
    saved.save(path)
    mapped, read = mf.PackedVectors.load(path), mf.PackedVectors.load(path, mmap=False)
    gathered, size = mapped[[1, 2]], path.stat().st_size
    sharing = [mapped, mapped[2:5], mapped[7], mapped[::2][3:], mapped.to("cpu")]
    if change == "cut":
        os.truncate(path, 4096)
    elif change == "longer":
        os.truncate(path, size + 1)
    elif change == "written":
        before = path.stat()
        with path.open("r+b") as file:
            file.write(path.read_bytes())
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
    elif change == "saved":
        saved[:5].save(path)
    elif change == "removed":
        path.unlink()
    pairs, few = torch.tensor([[0, 0]]), queries(1)
    found = []
    for database in (*sharing, read, gathered):
        for work in (
            lambda database: mf.search(few, database, 1),
            lambda database: mf.search(few.numpy(), database, 1),
            lambda database: mf.search(database, read, 1),
            lambda database: mf.search(read, database, 1, ranges=[(0, 1)]),
            lambda database: mf.scores(few, database),
            lambda database: mf.scores(database, database),
            lambda database: mf.scores(few, database, pairs=pairs),
            lambda database: database.save(path.with_name("copy")),
            lambda database: database == database[:],
            lambda database: pickle.dumps(database),
        ):
            try:
                work(database)
                found.append("")
            except OSError as error:
                found.append(str(error).replace(str(path), "PATH"))
    return found


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("cut", "it had 66304 bytes and has 4096"),
        ("longer", "it had 66304 bytes and has 66305"),
        ("written", "it was written to 1 s later"),
    ],
)
def test_a_changed_file_is_not_searched(path: Path, change: str, what: str) -> None:
    found = alone(refusals, path, change)
    message = (
        f"PATH was changed after it was mapped: {what}; load it again, or with mmap=False to "
        "keep a copy in memory"
    )
    assert found == [message] * 10 * 5 + [""] * 10 * 2


@pytest.mark.parametrize("change", ["saved", "removed", "none"])
def test_a_file_that_is_replaced_or_removed_is_searched(path: Path, change: str) -> None:
    assert not any(alone(refusals, path, change))


def test_a_change_while_a_file_is_loaded_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows"
    saved = mf.quantize(queries(5), mf.E2M1)
    saved.save(path)
    look = norms.refuse_impossible

    def change(*arguments: Any) -> None:
        look(*arguments)
        os.truncate(path, 4096)

    monkeypatch.setattr(norms, "refuse_impossible", change)
    with pytest.raises(OSError, match=" was changed after it was mapped: it had "):
        mf.PackedVectors.load(path)


def test_a_file_that_is_replaced_while_it_is_opened_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows"
    old, new = mf.quantize(queries(5), mf.E2M1), mf.quantize(queries(9), mf.E4M3)
    old.save(path)
    open_header, times = safetensors.safe_open, [0]

    def replace(*arguments: Any, **options: Any) -> Any:
        times[0] += 1
        if times[0] < 3:
            new.save(path)
        return open_header(*arguments, **options)

    monkeypatch.setattr(safetensors, "safe_open", replace)
    loaded = mf.PackedVectors.load(path, verify=True)
    assert times == [3]
    assert torch.equal(loaded.codes, new.codes)


def test_a_mapping_ends_with_the_last_rows_of_it(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    mf.quantize(queries(500), mf.E2M1).save(path)

    def held() -> tuple[int, bool]:
        files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        return files.count(str(path)), str(path) in Path("/proc/self/maps").read_text()

    loaded = mf.PackedVectors.load(path)
    assert held() == (2, True)
    some = loaded[3:5]
    del loaded
    assert held() == (2, True)
    del some
    assert held() == (0, False)
    read = mf.PackedVectors.load(path, mmap=False, verify=True)
    assert held() == (0, False)
    assert mf.PackedVectors.verify(path)
    assert held() == (0, False)
    assert len(read) == 500
