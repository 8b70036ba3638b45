"""Loops of machine code and their instructions, in a listing as cuobjdump prints it."""

import json
from pathlib import Path

import pytest

from benchmarks.gpu.code import counts, machine_code
from benchmarks.gpu.code.machine_code import Kernel
from benchmarks.gpu.code.pipes import counted

NAME = "void minifloat::cuda::(anonymous namespace)::pack_kernel<5, true, float>(float const*, int)"
# A loop within a loop, and what seldom runs: behind the end, from where it branches back.
CODE = """
        /*0000*/                   LDC R1, c[0x0][0x28] ;            /* 0x00000a00ff017b82 */
                                                                     /* 0x000ff00000000800 */
        /*0010*/               @P0 EXIT ;                            /* 0x000000000000094d */
        /*0020*/                   LDG.E R2, desc[UR4][R4.64] ;      /* 0x0000000402007c0c */
        /*0030*/                   LOP3.LUT R2, R2, 0xf, RZ, 0xc0, !PT ;
        /*0040*/                   IMAD.MOV.U32 R3, RZ, RZ, R2 ;
        /*0050*/              @!P1 BRA 0xc0 ;
        /*0060*/                   FADD R3, R3, R2 ;
        /*0070*/               @P2 BRA 0x40 ;
        /*0080*/                   SHF.R.U32.HI R6, RZ, 0x4, R3 ;
        /*0090*/                   STG.E desc[UR4][R4.64], R6 ;
        /*00a0*/              @!P3 BRA 0x20 ;
        /*00b0*/                   EXIT ;
        /*00c0*/                   MUFU.RCP R3, R3 ;
        /*00d0*/                   BRA 0x60 ;
        /*00e0*/                   BRA 0xe0;
        /*00f0*/                   NOP;
"""


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is found in any file."""
    text = f'\nFatbin elf code:\n\n\t\tFunction : {NAME}\n\t.headerflags\t@""\n{CODE}'
    monkeypatch.setattr(machine_code, "disassembled", lambda file, *options: text)
    return text


@pytest.fixture
def kernel(listing: str) -> Kernel:
    """Return the one kernel."""
    (found,) = machine_code.kernels(Path("any.so"), "sm_90a", "pack_kernel")
    return found


def test_names_are_told_without_what_all_have(kernel: Kernel) -> None:
    assert kernel.name == "pack_kernel<5, true, float>"
    assert machine_code.kernels(Path("any.so"), None, "search") == []


def test_code_ends_where_padding_begins(kernel: Kernel) -> None:
    assert len(kernel.instructions) == 14


def test_loops_have_what_can_be_passed_again(kernel: Kernel) -> None:
    outer, inner = kernel.loops
    assert (outer.header, outer.depth) == (0x20, 0)
    assert (inner.header, inner.depth) == (0x40, 1)
    assert [one.address for one in inner.own] == [0x40, 0x50, 0x60, 0x70, 0xC0, 0xD0]
    assert [one.address for one in outer.own] == [0x20, 0x30, 0x80, 0x90, 0xA0]
    assert outer.instructions == tuple(kernel.instructions[i] for i in (*range(2, 11), 12, 13))
    assert len(kernel.looping) == 11


def test_the_shortest_way_round_leaves_out_what_seldom_runs(kernel: Kernel) -> None:
    outer, inner = kernel.loops
    assert [one.address for one in inner.shortest] == [0x40, 0x50, 0x60, 0x70]
    assert [one.address for one in outer.shortest] == list(range(0x20, 0xB0, 0x10))


def test_instructions_go_to_pipes_of_which_the_busiest_takes_longest(kernel: Kernel) -> None:
    count = counted(kernel.looping)
    assert count.issued == 11
    assert {name: count.pipes[name] for name in ("alu", "imad", "fma", "load", "store")} == {
        "alu": 2,
        "imad": 1,
        "fma": 1,
        "load": 1,
        "store": 1,
    }
    assert count.clocks == 11
    # Conversions take a scheduler eight clocks each.
    assert counted([one for one in kernel.instructions if one.kind == "MUFU"] * 3).clocks == 24


def test_a_turn_is_told_by_the_bytes_that_it_takes(
    listing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert counts.main(["pack", "--file", "any.so", "--loops", "--bytes", "1024"]) == 0
    told = capsys.readouterr().out
    assert "    loop 0x0040: 6 issued, 0 half rate, 8 clocks" in told
    assert "for 512 bytes 2.5 issued, 1.0 half rate, 2.5 clocks" in told


def test_what_has_grown_is_found(
    listing: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "some.so"
    file.write_bytes(b"\0Cuda compilation tools, release 13.0, V13.0.88\n\0")
    monkeypatch.setattr(counts, "RECORD", tmp_path / "counts.json")
    check = ["--file", str(file), "--check"]
    assert counts.main(check) == 2
    assert counts.main(["--file", str(file), "--record"]) == 0
    record = json.loads((tmp_path / "counts.json").read_text())
    assert record["kernels"] == {"pack_kernel<5, true, float>": {"issued": 11, "half_rate": 2}}
    assert record["compiler"] == "release 13.0, V13.0.88"
    assert counts.main(check) == 0
    record["kernels"]["pack_kernel<5, true, float>"]["issued"] = 10
    record["kernels"]["gone"] = {"issued": 1, "half_rate": 1}
    (tmp_path / "counts.json").write_text(json.dumps(record))
    capsys.readouterr()
    assert counts.main(check) == 1
    told = capsys.readouterr().out
    assert "pack_kernel<5, true, float>: issued 10 -> 11, +10.0%" in told
    assert "0 kernels are not recorded, 1 gone" in told
    assert "half_rate" not in told


def test_what_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> Path:
        raise machine_code.MissingError("minifloat._cuda is not built: that needs nvcc")

    monkeypatch.setattr(counts, "extension", missing)
    assert counts.main([]) == 2
    assert "needs nvcc" in capsys.readouterr().err
