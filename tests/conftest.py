"""Fixtures that make every behaviour test a cross product of formats and backends."""

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat import _C
from minifloat.backends import BACKENDS as ALL
from tests.support import emulated
from tests.support.on_gpu import on_gpu, served_by
from tests.support.sets import STAND_INS, TRIED

# A shell that starts tests in the background lets them ignore interrupts, and so would programs
# that tests start to interrupt them.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Without a GPU, Triton's kernels run on CPU tensors, one program after the other. It looks at this
# when they are defined.
HAS_GPU = torch.cuda.is_available()
if not HAS_GPU:
    os.environ["TRITON_INTERPRET"] = "1"

hypothesis.settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("default"), derandomize=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")

# How many multiprocessors an emulated GPU has: one that is soon full, and a large one, on which the
# same rows are shared out in more slices.
EMULATED = {"cuda": emulated.FEW_MULTIPROCESSORS, "cuda on many": 132}

# Those that are written in Python serve CPU tensors only here.
_OTHERS = [one.module for one in reversed(ALL) if one.key != "CPU" and one.available]
PYTHON_BACKENDS = (
    *(name for name in _OTHERS if HAS_GPU or name not in EMULATED),
    *(EMULATED if emulated.IS_HERE else ()),
)
BACKENDS = (*TRIED, *PYTHON_BACKENDS)


# What Triton's interpreter, which is the slowest, computes in every run: floats and integers.
SHORT_FORMATS = ("e4m3", "e2m1")
# Kernels of the emulated GPU by themselves: a format of each lane. Behaviour has all formats there.
EMULATED_FORMATS = ("e4m3", "e3m2", "e2m1")
# Their many calls take it longest; `scripts/test --triton` has them too, but for that of kinds.
LONG_INTERPRETED = (
    "test_a_power_of_two_changes_no_code",
    "test_every_backend_finds_what_reaches_a_threshold_and_reads_what_it_is_told",
    "test_large_matrices_are_split_without_a_trace",
    "test_pack_drops_bits_above_the_formats",
    "test_results_are_of_the_kind_of_the_queries_packed_or_not",
    "test_scores_are_cosines_and_ties_that_this_makes_go_to_the_lower_row",
    "test_search_goes_over_the_rows_that_a_mask_and_ranges_leave",
    "test_search_is_a_stable_sort_of_the_scores",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as long what differs from another test in the size of the GPU, or by a format, alone."""
    for item in items:
        params = (
            item.callspec.params
            if isinstance(item, pytest.Function) and hasattr(item, "callspec")
            else {}
        )
        format: Any = params.get("format", params.get("integer_format"))
        name = getattr(format, "name", format)
        is_interpreted = params.get("backend") == "triton" and not HAS_GPU
        is_short = name is None or name in SHORT_FORMATS
        is_short &= getattr(item, "originalname", None) not in LONG_INTERPRETED
        # Stand-ins differ from another set only in how they multiply.
        does_not_multiply = "scoring" not in item.path.parts and "ops" not in item.path.parts
        is_same = params.get("backend", params.get("isa")) in STAND_INS and does_not_multiply
        is_same |= params.get("backend") == "cuda on many"
        is_emulated = not HAS_GPU and item.path.parts[-3:-1] == ("backends", "cuda")
        is_same |= is_emulated and name not in (None, *EMULATED_FORMATS)
        if is_same or (is_interpreted and not is_short):
            item.add_marker("long")


@pytest.fixture(params=mf.FORMATS, ids=str)
def format(request: pytest.FixtureRequest) -> mf.Format:
    found: mf.Format = request.param
    return found


@pytest.fixture(params=[f for f in mf.FORMATS if f.lane != "float"], ids=str)
def integer_format(request: pytest.FixtureRequest) -> mf.Format:
    found: mf.Format = request.param
    return found


@pytest.fixture(params=TRIED)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """The instruction set in use during the test."""
    name: str = request.param
    before = _C.isa()
    _C.set_isa(name)
    yield name
    _C.set_isa(before)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The backend that serves CPU tensors during the test."""
    name: str = request.param
    if name in PYTHON_BACKENDS:
        if name in EMULATED and not HAS_GPU:
            emulated.install()
            emulated.set_multiprocessors(EMULATED[name])
            name = "cuda"
        wrap = on_gpu if HAS_GPU and name != "eager" else None
        # Triton's interpreter computes with NumPy, which warns of infinity and NaN.
        with served_by(name, "CPU", wrap), np.errstate(all="ignore"):
            yield name
        if name == "cuda" and not HAS_GPU:
            emulated.set_multiprocessors(emulated.FEW_MULTIPROCESSORS)
    else:
        before = _C.isa()
        _C.set_isa(name)
        yield name
        _C.set_isa(before)


@pytest.fixture
def in_any_order(format: mf.Format, backend: str) -> bool:
    """Whether the backend promises no order in which it adds up the format's floats."""
    return format.lane == "float" and backend in PYTHON_BACKENDS
