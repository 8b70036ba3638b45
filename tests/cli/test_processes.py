"""Commands as processes: pipes, signals, completion, and a Python without Typer."""

import os
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import minifloat.__main__
from tests.cli.conftest import ROWS
from tests.cli.running import ENVIRONMENT, PROGRAM, process


def ended(*words: object, cwd: Path, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    started = process(*words, cwd=cwd)
    out, err = started.communicate(stdin, timeout=60)
    return started.returncode, out, err


def test_rows_and_results_go_through_pipes(folder: Path) -> None:
    pipe = (
        f"cat x.npy | {' '.join(PROGRAM)} convert - - | {' '.join(PROGRAM)} search - "
        "db.safetensors -k 1 --json"
    )
    done = subprocess.run(pipe, shell=True, cwd=folder, env=ENVIRONMENT, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.splitlines()) == ROWS


def test_a_pipe_that_is_closed_ends_a_command_quietly(folder: Path) -> None:
    np.save("many.npy", np.random.default_rng(0).standard_normal((20_000, 13)))
    started = process("search", "many.npy", "db.safetensors", cwd=folder)
    assert started.stdout is not None
    assert started.stderr is not None
    assert started.stdout.readline() == b"query,rank,row,score\n"
    started.stdout.close()
    assert started.stderr.read() == b""
    assert started.wait(60) == 0
    started.stderr.close()
    assert started.stdin is not None
    started.stdin.close()


def test_an_interrupted_command_leaves_no_half_file(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    started = process("convert", "-", "x.npy", cwd=folder)
    assert started.stdin is not None
    started.stdin.write(before["x.npy"][:2000])
    started.stdin.flush()
    # The new file is there, and waits for more rows.
    deadline = time.monotonic() + 60
    while not [*folder.glob(".minifloat-*")] and time.monotonic() < deadline:
        time.sleep(0.02)
    # Python drops what a signal raises in a callback for a weak reference: by now it waits.
    time.sleep(0.5)
    # The end of what it reads must not come before it has looked for signals.
    for _ in range(10):
        started.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            started.wait(timeout=6)
            break
    out, err = started.communicate(timeout=60)
    assert (started.returncode, out) == (130, b"")
    assert err == b"interrupted: nothing is left half written\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("shell", "typed", "found"),
    [
        ("bash", "minifloat qu", "quantize"),
        ("zsh", "minifloat quantize --format e2", "e2m1"),
    ],
)
def test_shells_complete_commands_options_and_formats(
    shell: str, typed: str, found: str, folder: Path
) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    typer = {"_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    environment = ENVIRONMENT | words | typer | {"_MINIFLOAT_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(
        PROGRAM_BY_MAIN, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert found in done.stdout, done


# With no arguments, as a shell calls the program.
PROGRAM_BY_MAIN = [sys.executable, "-P", "-c", "from minifloat.cli import main; main()"]


def test_completion_is_shown(folder: Path) -> None:
    environment = ENVIRONMENT | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    words = [*PROGRAM, "--show-completion", "bash"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "complete -o default -F _minifloat_completion minifloat" in done.stdout


def test_without_typer_one_line_says_what_to_type(folder: Path) -> None:
    program = "import sys; sys.modules['typer'] = None; from minifloat.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: the command line needs typer, which is not installed: "
        "pip install 'minifloat[cli]'\n"
    )


def test_what_is_here_is_printed_without_typer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("typer", "typer.main"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "argv", ["minifloat"])
    minifloat.__main__.main()
    assert capsys.readouterr().out.startswith("minifloat ")


def test_a_bar_is_drawn_on_a_terminal_alone(folder: Path) -> None:
    parent, child = os.openpty()
    termios.tcsetwinsize(child, (24, 80))
    started = process(
        "quantize", "x.npy", "o.safetensors", "--format", "e2m1", cwd=folder, stderr=child
    )
    out, _ = started.communicate(timeout=60)
    os.close(child)
    drawn = b""
    while part := _read(parent):
        drawn += part
    os.close(parent)
    assert (started.returncode, out) == (0, b"")
    assert b"quantizing" in drawn
    assert b"rows/s" in drawn
    assert b"0.00/100" in drawn


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""
