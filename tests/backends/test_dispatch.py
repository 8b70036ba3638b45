import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import minifloat as mf
from minifloat import _C
from minifloat.backends import BACKENDS, implementation, serving
from minifloat.ops import OPERATORS
from tests.support.sets import sets

EXTENSION = str(Path(_C.__file__))
ALLOWED = ", ".join(_C.available_isas())

# Loads the extension alone: without torch a process starts in no time.
LOAD = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("minifloat._C", {EXTENSION!r})
_C = importlib.util.module_from_spec(spec)
spec.loader.exec_module(_C)
"""


def run(program: str, isa: str | None) -> subprocess.CompletedProcess[str]:
    """Run a program with MINIFLOAT_ISA as it is given, or without it."""
    environment = {key: value for key, value in os.environ.items() if key != "MINIFLOAT_ISA"}
    if isa is not None:
        environment["MINIFLOAT_ISA"] = isa
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_scalar_set_is_on_every_machine() -> None:
    assert _C.available_isas()[-1] == "scalar"
    assert len(set(_C.available_isas())) == len(_C.available_isas())


def test_the_environment_chooses_the_instruction_set() -> None:
    for name in _C.available_isas():
        found = run(LOAD + "print(_C.isa())", name)
        assert (found.stdout, found.stderr) == (f"{name}\n", "")


def test_the_best_set_is_the_default() -> None:
    for unset in (None, ""):
        found = run(LOAD + "print(_C.isa())", unset)
        assert (found.stdout, found.stderr) == (f"{_C.available_isas()[0]}\n", "")


def test_an_unknown_set_in_the_environment_is_refused_at_every_use() -> None:
    for name in ("avx9", "AVX2", "scalar "):
        program = f"""
for _ in range(2):
    for use in (_C.isa, lambda: _C.decode(0, 0, 0, 0, 1)):
        try:
            use()
        except ValueError as error:
            assert str(error) == "instruction set must be one of {ALLOWED}; got {name!r}", error
        else:
            raise AssertionError("no error")
print("refused")
"""
        found = run(LOAD + program, name)
        assert found.stdout == "refused\n", found.stderr


def test_the_chosen_set_serves_the_operators() -> None:
    program = """
import numpy as np, minifloat as mf
print(mf.encode(np.ones(3, np.float32), "e2m1").tolist(), mf._C.isa())
"""
    assert run(program, "scalar").stdout == "[2, 2, 2] scalar\n"
    failed = run(program, "avx9")
    message = f"ValueError: instruction set must be one of {ALLOWED}; got 'avx9'"
    assert failed.stderr.splitlines()[-1] == message


def test_set_isa_refuses_an_unknown_set_and_changes_nothing() -> None:
    before = _C.isa()
    for name in ("avx9", ""):
        message = f"instruction set must be one of {ALLOWED}; got '{name}'"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            _C.set_isa(name)
        assert _C.isa() == before


def test_every_backend_has_every_operator() -> None:
    for key in {backend.key for backend in BACKENDS}:
        for operator in OPERATORS:
            assert callable(implementation(serving(key).module, operator.name))
            name = f"minifloat::{operator.name}"
            assert torch._C._dispatch_has_kernel_for_dispatch_key(name, key)


def functions_with(pattern: str, disassembly: str) -> set[str]:
    """The functions that have an instruction which matches."""
    found, function = set(), ""
    for line in disassembly.splitlines():
        if line.endswith(">:"):
            function = line.partition("<")[2]
        elif re.search(pattern, line):
            found.add(function)
    return found


@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs objdump, of binutils")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="x86 has these sets")
def test_wide_registers_stay_in_their_own_namespace() -> None:
    command = ["objdump", "-d", "-C", "--no-show-raw-insn", EXTENSION]
    disassembly = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "minifloat::avx2::" not in disassembly:
        pytest.skip("the extension has no symbols")
    zmm, ymm = functions_with(r"%[zk](mm)?\d", disassembly), functions_with("%ymm", disassembly)
    # All that these sets brought has a mnemonic in v, whatever the register.
    vex = functions_with(r":\tv(?!er[rw])", disassembly)
    for found, flag in ((zmm, "avx512"), (ymm | vex, "avx")):
        may = [one.namespace for one in sets() if any(use.startswith(flag) for use in one.target)]
        theirs = rf"minifloat::({'|'.join(may)})::"
        assert {name for name in found if not re.search(theirs, name)} == set()
    tiles = functions_with(r":\t(tile|tdp|ldtile|sttile)", disassembly)
    assert tiles
    assert {name for name in tiles if "minifloat::amx::" not in name} == set()
    assert any("decode_run" in name for name in zmm)
    assert any("minifloat::avx2::" in name and "decode_run" in name for name in ymm)


def test_a_set_can_be_chosen_whatever_the_environment_says() -> None:
    found = run(LOAD + "_C.set_isa('scalar'); print(_C.isa())", "avx9")
    assert (found.stdout, found.stderr) == ("scalar\n", "")


def test_a_triton_that_is_too_old_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "triton-3.2.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: triton\nVersion: 3.2.0\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-m", "minifloat"]
    environment = os.environ | {"PYTHONPATH": path}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    message = "triton: not used, for 3.2 is older than 3.6, which torch 2.10 came with"
    assert message in told.stdout.splitlines()


def test_an_operator_that_does_not_fit_says_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", "3.6")

    def too_large(*arguments: object) -> None:
        raise torch.OutOfMemoryError("Tried to allocate 9.00 GiB")

    monkeypatch.setattr("minifloat.backends.triton.unpack", too_large)
    asked = r"unpack\(uint8 \(3, 8\), e2m1, 16\) does not fit: Tried to allocate 9.00 GiB"
    with pytest.raises(torch.OutOfMemoryError, match=asked):
        implementation("triton", "unpack")(torch.zeros(3, 8, dtype=torch.uint8), "e2m1", 16)


def test_rows_that_do_not_fit_on_a_device_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = mf.quantize(torch.ones(3, 16), "e2m1")

    def too_large(self: torch.Tensor, device: object) -> None:
        raise torch.OutOfMemoryError("Tried to allocate 9.00 GiB")

    monkeypatch.setattr(torch.Tensor, "to", too_large)
    with pytest.raises(torch.OutOfMemoryError, match=r"3 x 16 e2m1.* does not fit on cuda; search"):
        rows.to("cuda")
