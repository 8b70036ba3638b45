"""The kernels on 64-bit Arm, emulated: each set beside plain C++, which answers as it does here."""

import os
import re
import subprocess

import pytest

from tests.support import arm

# Kernels are compiled anew, and the emulator takes two minutes.
pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(arm.MISSING), reason=arm.NOT_HERE)]

SETS = ["neon_dot", "neon", "scalar"]
# Instructions that the first 64-bit Arm processors have not.
LATER = r"\t([su]dot|[su]mmla|sqrdml[as]h|cas|swp|ld(add|set|clr|eor)|crc32)[a-z]*\t"


def test_every_set_answers_as_plain_cpp_does_here_and_there() -> None:
    program, _ = arm.build()
    *there, told = arm.emulated(program)
    found = re.fullmatch(r"compared (\d+), wrong 0, with (.*)", told)
    assert found, "\n".join([*there, told])
    assert int(found[1]) > 10_000
    assert found[2].split() == SETS
    here = subprocess.run(
        [arm.build_here(), "reference"], capture_output=True, text=True, check=True
    )
    assert there == here.stdout.splitlines()


@pytest.mark.parametrize(("cpu", "sets"), [("max", SETS), ("cortex-a53", SETS[1:])])
def test_a_processor_has_the_sets_whose_instructions_it_knows(cpu: str, sets: list[str]) -> None:
    program, _ = arm.build()
    assert arm.emulated(program, "sets", cpu=cpu) == sets


def test_later_instructions_stay_in_their_own_namespace() -> None:
    _, objects = arm.build()
    users, function = set(), ""
    command = [arm.OBJDUMP, "-d", "-C", "--no-show-raw-insn", *map(str, objects)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        if line.endswith(">:"):
            function = line.partition("<")[2]
        elif re.search(LATER, line):
            users.add(function)
    assert users
    assert {name for name in users if "minifloat::neon_dot::" not in name} == set()


def test_no_kernel_reads_past_its_memory_or_does_what_is_undefined() -> None:
    program, _ = arm.build(*arm.SANITIZED)
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    assert "wrong 0" in arm.emulated(program, env=environment)[-1]
