"""What becomes of a step where its worker hangs or dies."""

import sys
from time import monotonic

import pytest

from benchmarks.gpu.supervisor import supervise
from tests.benchmarks.gpu.heard import Heard, measured, worker


@pytest.mark.long
def test_a_case_that_hangs_or_dies_or_takes_the_device_along_costs_itself_only() -> None:
    heard, why = measured("faults", item_seconds=2)
    assert why is None
    assert heard.failures == {
        "first": {},
        "out of memory": {"all": "OutOfMemoryError: too much of it"},
        "bad address": {"all": "RuntimeError: an illegal memory access was encountered"},
        "after a bad address": {},
        "hangs": {"all": "stopped after 2 s"},
        "dies": {"all": "ended by SIGABRT"},
        "bad address unseen": {"all": "the device does not answer any more"},
        "last": {},
    }


def test_what_is_done_is_not_done_again() -> None:
    done = {"hangs", "dies", "first", "bad address", "bad address unseen"}
    heard, why = measured("faults", done=done)
    assert why is None
    assert list(heard.failures) == ["out of memory", "after a bad address", "last"]


@pytest.mark.long
def test_when_time_is_over_what_runs_is_stopped_and_left_undone() -> None:
    begin = monotonic()
    heard, why = measured("endless", seconds=8)
    assert why == "no time was left"
    assert 7 < monotonic() - begin < 12
    assert heard.failures == {"first": {}}
    assert heard.events[0] == {"plan": ["first", "hangs"]}
    assert measured("endless", seconds=-1)[1] == "no time was left"


def test_a_worker_that_does_not_start_ends_the_step() -> None:
    heard = Heard()
    until = monotonic() + 60
    sleeping = worker("sleep", "3600", start_seconds=1)
    assert supervise(sleeping, set(), until, heard.listener) == "stopped after 1 s"
    status = worker(sys.executable, "-c", "print('why'); raise SystemExit(3)")
    assert supervise(status, set(), until, heard.listener) == "ended with exit status 3"
    assert heard.lines == ["why"]
    assert heard.events == []


def test_lines_and_events_are_told_apart() -> None:
    program = """
from benchmarks.gpu.telling import *
task = read_task()
assert sorted(task.done) == ["a"] and 0 < task.seconds < 60
print("no end of line", end="")
tell_begin("b"); print("said"); tell_end("b", {"failures": {}}); tell_all_done()
"""
    heard = Heard()
    one = worker(sys.executable, "-c", program)
    assert supervise(one, {"a"}, monotonic() + 60, heard.listener) is None
    assert heard.lines == ["no end of line", "said"]
    assert [next(iter(event)) for event in heard.events] == ["begin", "end", "done"]
