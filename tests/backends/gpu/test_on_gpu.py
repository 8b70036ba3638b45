"""The tests for a machine with a GPU, on one without: what they stand on, and what they import."""

import subprocess
import sys
import warnings
from contextlib import nullcontext

import pytest
import torch

import minifloat as mf
from benchmarks.gpu.steps import gpu_tests
from tests.support.on_gpu import nothing_waits, served_by
from tests.support.paths import ROOT

# What a GPU's machine need not have: all that the tests' own extra brings but pytest, hypothesis
# and ml_dtypes, and what comes with gfloat.
ABSENT = (
    *("array_api_compat", "av", "gfloat", "kaldi_native_fbank", "kaldiio", "matplotlib"),
    *("more_itertools", "playwright", "scipy", "sklearn", "soundfile", "soxr", "tqdm", "umap"),
)

COLLECTING = f"""
import sys
import pytest

class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent)
sys.exit(pytest.main(["--collect-only", "-qqm", "gpu", "-pno:cacheprovider", *sys.argv[1:]]))
"""


def test_tests_of_a_gpu_import_nothing_that_its_machine_lacks() -> None:
    tests = gpu_tests()
    command = [sys.executable, "-c", COLLECTING, *tests]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    for test in tests:
        assert f"{test}: " in run.stdout


@pytest.mark.parametrize("fails", [False, True])
def test_waiting_is_an_error_in_a_block_and_nowhere_else(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = ["default"]

    def set_mode(mode: str) -> None:
        modes.append(mode)
        warnings.warn("Synchronization debug mode is a prototype feature and ...", stacklevel=2)

    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", set_mode)
    expected = pytest.raises(RuntimeError, match="it waits") if fails else nullcontext()
    with expected, nothing_waits():
        assert modes == ["default", "error"]
        if fails:
            raise RuntimeError("it waits")
    assert modes == ["default", "error", "default"]


def test_a_mode_that_was_set_with_another_warning_does_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modes = []

    def set_mode(mode: str) -> None:
        modes.append(mode)
        if mode == "error":
            warnings.warn("the mode has changed", stacklevel=2)

    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", set_mode)
    with pytest.raises(UserWarning, match="the mode has changed"), nothing_waits():
        pass
    assert modes == ["error", "default"]


def test_a_backend_takes_the_place_of_another_without_a_warning() -> None:
    x, served = torch.linspace(-9, 9, 31), []

    def counted(operator: object, function: object) -> object:
        def call(*arguments: object) -> object:
            served.append(operator)
            return function(*arguments)  # type: ignore[operator]

        return call

    expected = mf.encode(x, "e2m1")
    # Else it would warn once a process.
    torch.set_warn_always(True)
    try:
        with served_by("eager", "CPU", counted):  # type: ignore[arg-type]
            found = mf.encode(x, "e2m1")
    finally:
        torch.set_warn_always(False)
    assert torch.equal(found, expected)
    assert torch.equal(mf.encode(x, "e2m1"), expected)
    assert len(served) == 1
