"""What a search of a file maps, reads and holds in memory, counted in new processes."""

import ctypes
import mmap
import os
import resource
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import minifloat as mf
from tests.files.searched import DIM, ONLY_LINUX, alone, queries

pytestmark = ONLY_LINUX

counts_memory = pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""), reason="sanitizers hold memory of their own"
)

ROWS = 1 << 19

MIB = 1 << 20


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 66 MiB, in E2M1: 64 of codes, 2 of norms."""
    path = tmp_path_factory.mktemp("mapped") / "rows"
    codes = np.random.default_rng(0).integers(0, 256, (ROWS, DIM // 2), np.uint8)
    packed = torch.from_numpy(codes)
    norms = torch.ops.minifloat.reciprocal_norms(packed, "e2m1", DIM)
    mf.PackedVectors(packed, norms, mf.E2M1, DIM).save(path)
    return path


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
