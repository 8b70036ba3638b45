import _thread
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat import _C
from minifloat.threads import in_threads
from tests.support.rows import normal


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def work(format: mf.Format, seed: int) -> list[torch.Tensor]:
    """What every operator makes of rows that are enough for several pieces of work."""
    x = normal(400, 211, seed)
    codes = mf.encode(x, format)
    packed = mf.encode_pack(x, format)
    rows = mf.quantize(x, format)
    pairs = torch.randint(0, 400, (9000, 2), generator=torch.Generator().manual_seed(seed))
    return [
        codes,
        mf.decode(codes, format),
        mf.pack(codes, format),
        packed,
        mf.unpack(packed, format, 211),
        rows.codes,
        rows.reciprocal_norms,
        mf.scores(rows[:70], rows),
        mf.scores(rows, rows, pairs=pairs),
        *mf.search(rows[:70], rows, 20),
    ]


def test_the_number_of_threads_changes_no_answer(format: mf.Format) -> None:
    torch.set_num_threads(1)
    expected = work(format, 1)
    for count in (2, 3, 8):
        torch.set_num_threads(count)
        for found, wanted in zip(work(format, 1), expected, strict=True):
            assert torch.equal(found, wanted)


def test_callers_in_many_threads_get_their_own_answers(format: mf.Format) -> None:
    torch.set_num_threads(3)
    expected = [work(format, seed) for seed in range(4)]
    start = threading.Barrier(4)

    def call(seed: int) -> list[list[torch.Tensor]]:
        # Each Python thread has its own count of torch threads until it is set.
        torch.set_num_threads(3)
        start.wait()
        return [work(format, seed) for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        for answers, wanted in zip(pool.map(call, range(4)), expected, strict=True):
            for answer in answers:
                assert all(map(torch.equal, answer, wanted))


KERNELS: dict[str, Callable[[mf.PackedVectors, torch.Tensor], object]] = {
    "encode": lambda rows, x: mf.encode(x, "e2m3"),
    "decode": lambda rows, x: mf.decode(rows.codes, "e2m3"),
    "pack": lambda rows, x: mf.pack(rows.codes, "e2m3"),
    "unpack": lambda rows, x: mf.unpack(rows.codes, "e2m3", rows.dim),
    "encode_pack": lambda rows, x: mf.encode_pack(x, "e2m3"),
    "quantize": lambda rows, x: mf.quantize(x, "e2m3"),
    "reciprocal_norms": lambda rows, x: torch.ops.minifloat.reciprocal_norms(
        rows.codes, "e2m3", rows.dim
    ),
    "scores": lambda rows, x: mf.scores(rows[:99], rows),
    "pair_scores": lambda rows, x: mf.scores(rows, rows, pairs=torch.zeros(9999, 2).long()),
    "best": lambda rows, x: mf.search(rows[:99], rows, 5),
}


@pytest.mark.parametrize("name", KERNELS)
def test_other_python_threads_run_while_a_kernel_does(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    x = normal(2000, 512)
    rows = mf.quantize(x, "e2m3")
    stop, ticks, moved = threading.Event(), [0], [0]
    kernel = getattr(_C, name)

    def watched(*arguments: Any) -> Any:
        first = ticks[0]
        answer = kernel(*arguments)
        moved[0] += ticks[0] - first
        return answer

    def count() -> None:
        while not stop.wait(1e-5):
            ticks[0] += 1

    # With such an interval Python does not switch threads between the lines of `watched`: the
    # count moves there only if the kernel lets go of the interpreter.
    before = sys.getswitchinterval()
    monkeypatch.setattr(_C, name, watched)
    counter = threading.Thread(target=count)
    counter.start()
    try:
        sys.setswitchinterval(1000)
        # A busy machine may give the other thread no time in a single call.
        for _ in range(500):
            KERNELS[name](rows, x)
            if moved[0]:
                break
    finally:
        sys.setswitchinterval(before)
        stop.set()
        counter.join()
    assert moved[0] > 0


def test_a_process_ends_while_its_threads_wait() -> None:
    program = """
import torch, minifloat as mf
torch.set_num_threads(4)
print(mf.encode(torch.ones(1 << 20), "e2m1").unique().tolist())
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout == "[2]\n"


@pytest.mark.parametrize("number", [1, 2, 5])
def test_items_are_shared_out_and_come_back_in_order(number: int) -> None:
    torch.set_num_threads(number)
    assert in_threads(lambda i: i * i, range(100)) == [i * i for i in range(100)]
    assert in_threads(str, []) == []
    done = []

    def fails(i: int) -> None:
        if i == 7:
            raise KeyError(i)
        done.append(i)

    with pytest.raises(KeyError, match="7"):
        in_threads(fails, range(10_000))
    assert len(done) < 10_000


def test_a_thread_that_cannot_be_started_is_told_and_waited_for_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, started = _thread.start_new_thread, list[int]()

    def second_fails(*arguments: Any) -> int:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(start(*arguments))
        return started[0]

    torch.set_num_threads(3)
    monkeypatch.setattr(_thread, "start_new_thread", second_fails)
    with pytest.raises(RuntimeError, match=r"^can't start new thread$"):
        in_threads(str, range(5))
