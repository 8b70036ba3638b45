import json
import subprocess
import sys

import pytest

import minifloat as mf
from benchmarks.instructions import __main__ as instructions
from benchmarks.registry import OPS
from minifloat import _C


def test_a_call_of_each_operation_and_format_is_counted_without_torch() -> None:
    program = [sys.executable, "-c", "import sys, benchmarks.instructions.counted as c; c.main()"]
    program[-1] += "; sys.exit('torch' in sys.modules)"
    lines = subprocess.run(program, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    calls = [json.loads(line) for line in lines]
    kinds = {(call["isa"], call["format"]) for call in calls}
    assert kinds == {(isa, f.name) for isa in _C.available_isas() for f in mf.FORMATS}
    assert len(calls) == len(kinds) * len({call["op"] for call in calls})
    assert {call["op"].split()[0] for call in calls} <= set(OPS)


def test_a_count_that_has_grown_or_is_new_is_told() -> None:
    recorded = {"avx2": {"encode": {"e5m2": 2.0, "e4m3": 2.0}}}
    counts = {"avx2": {"encode": {"e5m2": 2.1, "e4m3": 1.0}}}
    assert instructions.growth(recorded, counts) == []
    counts["avx2"]["encode"] |= {"e4m3": 2.2, "e2m1": 1.0}
    assert [line.split() for line in instructions.growth(recorded, counts)] == [
        ["isa", "op", "format", "recorded", "now", "change"],
        ["avx2", "encode", "e4m3", "2", "2.2", "+10.0%"],
        ["avx2", "encode", "e2m1", "none", "1"],
    ]


def test_a_count_without_valgrind_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        instructions.main([])
    assert "valgrind is not installed; apt-get install valgrind" in capsys.readouterr().err
