"""Fixtures that make every behaviour test a cross product of formats and backends."""

import os
import warnings
from collections.abc import Iterator

import hypothesis
import pytest
import torch

import minifloat as mf
from minifloat import _C, ops
from minifloat.backends import eager

hypothesis.settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("default"), derandomize=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")

BACKENDS = (*_C.available_isas(), "eager")


@pytest.fixture(params=mf.FORMATS, ids=str)
def format(request: pytest.FixtureRequest) -> mf.Format:
    found: mf.Format = request.param
    return found


@pytest.fixture(params=[f for f in mf.FORMATS if f.lane != "float"], ids=str)
def integer_format(request: pytest.FixtureRequest) -> mf.Format:
    found: mf.Format = request.param
    return found


@pytest.fixture(params=_C.available_isas())
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
    if name == "eager":
        with torch.library._scoped_library("minifloat", "IMPL") as library:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Warning only once for all operators")
                for operator in ops.OPERATORS:
                    implementation = getattr(eager, operator.__name__)
                    library.impl(operator.__name__, implementation, "CPU", allow_override=True)
            yield name
    else:
        before = _C.isa()
        _C.set_isa(name)
        yield name
        _C.set_isa(before)
