"""Children of a fork, whatever ran in the parent: torch's own operations need its threads."""

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import minifloat as mf

# A child is killed after so many seconds; what it does takes a fraction of one.
LIMIT = 30


class Given(NamedTuple):
    """What the calls are made with: enough of everything for torch to use its threads."""

    x: torch.Tensor
    rows: mf.PackedVectors
    pairs: torch.Tensor
    some: torch.Tensor
    path: Path


# By what is called: functions, and methods of packed rows.
CALLS: dict[str, Callable[[Given], object]] = {
    "encode": lambda given: mf.encode(given.x.T, "e2m3"),
    "decode": lambda given: mf.decode(given.rows.codes, "e2m3"),
    "round": lambda given: mf.round(given.x.double(), "e2m3"),
    "pack": lambda given: mf.pack(given.rows.codes, "e2m3"),
    "unpack": lambda given: mf.unpack(given.rows.codes, "e2m3", 192),
    "encode_pack": lambda given: mf.encode_pack(given.x, "e2m3"),
    "quantize": lambda given: mf.quantize(given.x, "e2m3"),
    "scores": lambda given: mf.scores(given.x, given.rows[:50]),
    "scores of pairs": lambda given: mf.scores(given.x, given.rows, pairs=given.pairs),
    "scores among themselves": lambda given: mf.scores(given.rows[:2000], given.rows[:2000]),
    "search": lambda given: mf.search(given.x, given.rows[:50], 5),
    "search of a mask": lambda given: mf.search(given.x[:9], given.rows, 5, mask=given.some > 9),
    "search of ranges": lambda given: mf.search(given.rows[:9], given.rows, 5, ranges=[(7, 9999)]),
    "search of originals": lambda given: mf.search(
        given.x, given.rows[:50], 5, originals=given.x[:50]
    ),
    "range_search": lambda given: mf.range_search(given.x, given.rows[:50], 0.1, order="score"),
    "range_search of originals": lambda given: mf.range_search(
        given.x[:500], given.rows[:900], -0.1, originals=given.x[:900]
    ),
    "pairs_above": lambda given: list(mf.pairs_above(given.rows[:2000], 0.1)),
    "__getitem__": lambda given: given.rows[given.some],
    "__getitem__ of a mask": lambda given: given.rows[given.some > 9],
    "__getitem__ of a slice": lambda given: given.rows[::-1],
    "__eq__": lambda given: given.rows == given.rows[:],
    "__getstate__": lambda given: pickle.loads(pickle.dumps(given.rows[5:])),
    "cat": lambda given: mf.PackedVectors.cat([given.rows] * 5),
    "dequantize": lambda given: given.rows.dequantize(),
    "to_arrow": lambda given: given.rows.to_arrow(),
    "from_arrow": lambda given: mf.PackedVectors.from_arrow(given.rows.to_arrow()),
    "to": lambda given: given.rows.to("cpu"),
    "save": lambda given: given.rows.save(given.path.with_name("saved")),
    "load": lambda given: mf.PackedVectors.load(given.path, mmap=False, verify=True),
    "load mapped": lambda given: mf.search(given.x, mf.PackedVectors.load(given.path)[:50], 5),
    "verify": lambda given: mf.PackedVectors.verify(given.path),
}
# Page-locked memory is a GPU's, which no forked child has.
ELSEWHERE = {
    "pin_memory",
    "__setstate__",
    "__len__",
    "__repr__",
    "__contains__",
    "__array__",
    "__copy__",
}


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20_000, 192, generator=generator)
    rows = mf.quantize(x, "e2m3", errors=True)
    pairs = torch.randint(0, len(x), (100_000, 2), generator=generator)
    path = tmp_path_factory.mktemp("forks") / "rows"
    rows.save(path)
    return Given(x, rows, pairs, pairs[: len(x), 0], path)


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, (tuple, list)):
        return all(map(same, found, wanted))
    return torch.equal(found, wanted) if isinstance(wanted, torch.Tensor) else found == wanted


def in_child(call: Callable[[], bool]) -> None:
    """Fail unless the call is true in a forked child, within the limit."""
    with warnings.catch_warnings():
        # Python warns of what is done here on purpose.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LIMIT)
            code = 0 if call() else 2
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended == 0, f"no end within {LIMIT} s" if ended == -signal.SIGALRM else ended


@pytest.mark.parametrize("name", CALLS)
def test_a_call_gives_in_a_forked_child_what_it_gives_in_the_parent(
    name: str, given: Given
) -> None:
    # Work that torch itself shares out, so that there are threads that the child does not have.
    matrix = given.x.T @ given.x
    assert (matrix.exp() + given.x.abs().sum()).isfinite().any()
    mf.search(given.x, given.rows[:50], 5)
    expected = CALLS[name](given)
    in_child(lambda: same(CALLS[name](given), expected))


def test_every_public_call_is_made_in_a_forked_child() -> None:
    functions = {name for name in mf.__all__ if not isinstance(getattr(mf, name), (type, tuple))}
    own = vars(mf.PackedVectors).items()
    methods = {
        name
        for name, value in own
        if isinstance(value, staticmethod)
        or (callable(value) and getattr(value, "__module__", "").startswith("minifloat.vectors"))
    }
    generated = {"_with", "_with_fields", "__init__", "__setattr__", "__delattr__", "__replace__"}
    called = {name.partition(" ")[0] for name in CALLS}
    assert called == (functions | methods) - ELSEWHERE - generated


def test_a_child_of_a_child_and_its_parents_go_on(given: Given) -> None:
    expected = mf.search(given.x, given.rows[:50], 5)

    def search() -> bool:
        return same(mf.search(given.x, given.rows[:50], 5), expected)

    def search_and_fork() -> bool:
        in_child(search)
        return search()

    in_child(search_and_fork)
    assert search()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the threads of a process")
def test_a_forked_child_has_one_thread_and_kernels_start_more_where_it_asks(given: Given) -> None:
    expected = mf.scores(given.rows[:900], given.rows).numpy()

    def counted() -> bool:
        alone = torch.get_num_threads() == 1
        before = len(os.listdir("/proc/self/task"))
        alone &= np.array_equal(mf.scores(given.rows[:900], given.rows).numpy(), expected)
        alone &= len(os.listdir("/proc/self/task")) == before
        torch.set_num_threads(3)
        # Compared by NumPy: torch itself would wait for its parent's threads now.
        found = mf.scores(given.rows[:900], given.rows).numpy()
        started = len(os.listdir("/proc/self/task")) - before
        return alone and started == 2 and np.array_equal(found, expected)

    in_child(counted)


def test_forked_workers_give_the_answers_of_their_parent(given: Given) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            found = pool.map_async(_nearest, [given, given]).get(LIMIT)
    for rows in found:
        np.testing.assert_array_equal(rows, _nearest(given))


def _nearest(given: Given) -> Any:
    return mf.search(given.x[:5000], mf.quantize(given.x, "e4m3")[:50], 3)[1].numpy()
