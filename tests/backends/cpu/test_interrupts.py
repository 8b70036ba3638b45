"""Signals end what takes long: what a handler raises leaves the call, with nothing left at work."""

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from types import FrameType

import pytest
import torch

import minifloat as mf
from minifloat import _C
from minifloat.frames import tensors_of
from tests.proofs import random_signals

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="there are no timers that raise signals here"
)

# A tenth of a second in, half a second is allowed, and machines may be busy: each of these calls
# takes many times as long (tens of seconds in plain C++).
AFTER, ALLOWED = 0.1, 5.0


class StoppedError(Exception):
    """What the handler raises."""


def interrupt(number: int, frame: FrameType | None) -> None:
    raise StoppedError


@pytest.fixture(params=[1, pytest.param(2, marks=pytest.mark.long), 3])
def slow(request: pytest.FixtureRequest) -> Iterator[int]:
    """So many threads, in plain C++, and a handler for the timer's signal."""
    isa, threads = _C.isa(), torch.get_num_threads()
    before = signal.signal(signal.SIGALRM, interrupt)
    _C.set_isa("scalar")
    torch.set_num_threads(request.param)
    yield request.param
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    torch.set_num_threads(threads)
    _C.set_isa(isa)


def rows(count: int, dim: int, format: str = "e3m4") -> mf.PackedVectors:
    f = mf.formats.as_format(format)
    codes = torch.randint(0, 100, (count, f.row_bytes(dim)), dtype=torch.uint8)
    return mf.PackedVectors(codes, torch.ones(count), f, dim)


def ends_early(call: Callable[[], object]) -> None:
    gc.collect()
    signal.setitimer(signal.ITIMER_REAL, AFTER)
    begin = monotonic()
    with pytest.raises(StoppedError):
        call()
    assert monotonic() - begin < ALLOWED


@pytest.mark.parametrize("queries", [1, 300])
def test_a_search_ends_when_a_signal_comes(slow: int, queries: int) -> None:
    database = rows(200_000, 512) if queries > 1 else rows(1_500_000, 512, "e2m1")
    asked = rows(queries, 512, database.format.name)
    if queries == 1:
        # One query after the other, for one alone would be over.
        ends_early(lambda: [mf.search(asked, database, 10) for _ in range(100)])
    else:
        ends_early(lambda: mf.search(asked, database, 10))
    # The pool and the kernels are as before.
    few = database[:300]
    scores, found = mf.search(few[:3], few, 2)
    assert torch.equal(scores, mf.scores(few[:3], few).topk(2).values)
    assert found.shape == (3, 2)


def test_scores_end_when_a_signal_comes(slow: int) -> None:
    database = rows(20_000, 512)
    ends_early(lambda: mf.scores(database[:4000], database))
    ends_early(lambda: mf.scores(database, database))
    pairs = torch.randint(0, 20_000, (3_000_000, 2))
    ends_early(lambda: mf.scores(database, database, pairs=pairs))


def test_codecs_end_when_a_signal_comes(slow: int) -> None:
    codes = torch.randint(0, 64, (2**26 // 203, 203), dtype=torch.uint8)
    packed = mf.pack(codes, "e2m3")
    values = codes.float()
    whole = torch.arange(2**26, dtype=torch.uint8)
    floats = whole.double()
    norms = torch.ops.minifloat.reciprocal_norms
    frame = tensors_of(mf.Frame.fit(values[:50]), values.device)
    for call in (
        lambda: mf.pack(codes, "e2m3"),
        lambda: mf.unpack(packed, "e2m3", 203),
        lambda: norms(packed, "e2m3", 203),
        lambda: mf.quantize(values, "e2m3"),
        lambda: torch.ops.minifloat.to_lane(values, "e2m3"),
        lambda: torch.ops.minifloat.to_lane_in_frame(values, frame, "e2m3"),
        lambda: mf.encode(floats, "e4m3"),
        lambda: mf.decode(whole, "e4m3"),
    ):
        # Each may be done within that time, but not so often.
        ends_early(lambda call=call: [call() for _ in range(200)])  # type: ignore[misc]


def test_a_call_in_another_thread_goes_on(slow: int) -> None:
    database = rows(3000, 512)
    found: list[torch.Tensor] = []
    interrupted, done = threading.Event(), threading.Event()

    def score() -> None:
        while not interrupted.is_set():
            found.append(mf.scores(database, database))
        done.set()

    threading.Thread(target=score).start()
    try:
        ends_early(lambda: done.wait(60))
    finally:
        interrupted.set()
    assert done.wait(60)
    expected = mf.scores(database, database)
    assert all(torch.equal(one, expected) for one in found)


def test_handlers_that_raise_nothing_change_nothing(slow: int) -> None:
    database = rows(1200, 512)
    expected = mf.search(database, database, 5)
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(mf.encode(torch.ones(2), "e2m1")))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    found = mf.search(database, database, 5)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert seen
    for x, y in zip(found, expected, strict=True):
        assert torch.equal(x, y)


@pytest.mark.long
def test_calls_are_interrupted_at_random_times() -> None:
    # A machine may be busy, so that half a second is left to `scripts/test --signals`.
    assert random_signals.main(["60", "--allowed", str(ALLOWED)]) == 0
