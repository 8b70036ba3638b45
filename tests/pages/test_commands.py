"""Every command and code block of the pages: what can run here runs as it is printed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from torch.distributed.run import get_args_parser

from tests.pages.printed import BLOCKS, FILES, KINDS, PRINTED, PROJECT, is_doctest, kind, of_kind
from tests.pages.reading import Command, commands, readings
from tests.pages.running import RefusedError, calls, run, understand
from tests.support.paths import ROOT

# What a sentence names and does not mean to be typed as it is, and a whole command of it.
NAMED = {
    "python -m evaluation": "python -m evaluation --help",
    "python -P -m evaluation": "python -P -m evaluation --help",
    "python -m evaluation bitdepth": "python -m evaluation bitdepth --help",
    "python -m evaluation extract": "python -m evaluation extract --help",
    "minifloat study": "minifloat study --help",
    # It would write into the shell's own files.
    "minifloat --install-completion": "minifloat --help",
    "source .venv/bin/activate": "source .venv/bin/activate && [[ $(which python) == $PWD/* ]]",
    "nvcc -Xptxas -v": "nvcc -Xptxas -v -c -x cu /dev/null -o empty.o",
    "cuobjdump -res-usage": "cuobjdump -res-usage empty.o",
}
# What takes seconds, and what is run of it but by the long tests.
SHORTER = {
    "python -m benchmarks.quantize": "python -m benchmarks.quantize 100",
    "python -m benchmarks.exact": "python -m benchmarks.exact --rows 3000 --random 600",
    "python -m benchmarks.few_queries": "python -m benchmarks.few_queries 100",
    "python benchmarks/files.py": "python benchmarks/files.py 1",
    "python -m benchmarks.instructions.counted": "python --version",
}
# What the pages say that commands leave.
LEFT = {
    "evaluation extract": ("voices.safetensors", "voices.csv"),
    "evaluation bitdepth": ("bitdepth-report/metrics.csv", "bitdepth-report/report.html"),
    "evaluation separation": ("separation-report/metrics.csv", "separation-report/report.html"),
    "evaluation probe": ("probe-report/report.html",),
}
# Programs of others, with what the pages run before or after them.
TOOLS = {
    "source": ("source",),
    "find": ("find",),
    "rm": ("rm",),
    "perf": ("mkdir", "perf"),
    "valgrind": ("mkdir", "valgrind", "callgrind_annotate"),
    "nvcc": ("nvcc",),
    "cuobjdump": ("nvcc", "cuobjdump"),
}


def typed(command: str, *, is_shortened: bool) -> list[str]:
    """Return what stands for a command where it is run."""
    if command in NAMED:
        return [NAMED[command]]
    for long, short in SHORTER.items() if is_shortened else ():
        command = command.replace(long, short)
    return readings(command)


def test_every_command_is_of_a_kind_and_every_kind_has_some() -> None:
    assert [str(command) for command in PRINTED if kind(command.text) is None] == []
    assert {kind(command.text) for command in PRINTED} == {*KINDS}
    assert NAMED.keys() <= {command.text for command in PRINTED}


def test_a_page_cannot_have_a_command_that_nobody_looks_at() -> None:
    page = (
        "x\n\n    docker run x  # y\n\nand `podman\nrun -it`, `scripts/lint`, `--x 3`, `a - b`.\n"
    )
    texts = [command.text for command in commands("x", page)]
    assert texts == ["docker run x  # y", "podman run -it", "scripts/lint"]
    assert [kind(text) for text in texts] == [None, None, "continuous integration"]
    for kept in ("x ` y\n", "- x\n\n  ```sh\n  rm -r x\n  ```\n"):
        with pytest.raises(ValueError, match="must end, and begin a line"):
            commands("x", kept)


def test_every_block_is_a_doctest_that_runs_a_file_or_no_code() -> None:
    languages = {block.language for block in BLOCKS if not is_doctest(block)}
    assert languages == {*FILES, "text"}
    tested = PROJECT["tool"]["pytest"]["ini_options"]
    assert "--doctest-glob=*.md" in tested["addopts"].split()
    pages = {block.page for block in BLOCKS if is_doctest(block)}
    assert pages
    assert {page.partition("/")[0] for page in pages} <= {*tested["testpaths"]}
    assert not any("+SKIP" in block.text for block in BLOCKS)


def test_continuous_integration_runs_what_it_is_said_to_run() -> None:
    text = "\n".join((ROOT / ".ci" / name).read_text() for name in ("run", "nightly"))
    run_there = re.findall(r"scripts/\w+(?: --\w+)*", text)
    for command in of_kind("continuous integration"):
        words = shlex.split(command.text, comments=True)
        assert os.access(ROOT / words[0], os.X_OK), command
        if words[0].startswith(".ci/"):
            continue
        # A mode of the tests may be narrowed there.
        narrowed = f"{shlex.join(words)} " if len(words) > 1 else None
        assert shlex.join(words) in run_there or any(
            narrowed and line.startswith(narrowed) for line in run_there
        ), command


@pytest.mark.parametrize("command", of_kind("understood"), ids=str)
def test_programs_take_the_arguments_that_are_printed(
    command: Command, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reading in readings(command.text):
        understand(reading, checkout, monkeypatch)


@pytest.mark.parametrize("command", of_kind("launchers"), ids=str)
def test_launchers_take_the_arguments_that_are_printed(command: Command) -> None:
    words = shlex.split(command.text)
    options = get_args_parser().parse_args(words[words.index("torchrun") + 1 :])
    assert options.training_script in ("PROGRAM.py", "minifloat")


@pytest.mark.parametrize(
    "wrong",
    [
        "scripts/bench --rounds 3",
        "scripts/bench --op scan",
        "scripts/gpu --hours 1",
        "scripts/scale plan --lines 3",
        "scripts/count --verify",
        "scripts/test --exhaustive --threads 2",
        "scripts/test --exhausting",
        "scripts/test --valgrind --quick",
        "python -m evaluation probe --model ge2e --recordings x",
    ],
)
def test_an_argument_that_is_not_taken_is_told(
    wrong: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kind(wrong) == "understood"
    with pytest.raises(RefusedError):
        understand(wrong, checkout, monkeypatch)


@pytest.mark.parametrize("page", [*dict.fromkeys(c.page for c in PRINTED if kind(c.text) == "run")])
def test_commands_run_as_they_are_printed(
    page: str, samples: Path, is_shortened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kaldi_native_fbank")
    ran = set()
    for command in dict.fromkeys(
        c.text for c in PRINTED if (c.page, kind(c.text)) == (page, "run")
    ):
        for reading in typed(command, is_shortened=is_shortened):
            for call in calls(reading, samples):
                run(call, monkeypatch)
                ran |= set() if "--help" in call else {" ".join(call[2:4])}
    for start in ran & LEFT.keys():
        for file in LEFT[start]:
            assert (samples / file).is_file(), f"{page}: {start} left no {file}"


@pytest.mark.parametrize(
    "wrong",
    [
        "python -m evaluation bitdepth so762-campplus.npz --limit 0.5",
        "python -m evaluation bitdepth voices.npz",
        "python -m evaluation separate so762-campplus.npz",
        "python -m benchmark.quantize",
        "python benchmarks/file.py",
    ],
)
def test_a_command_that_does_not_run_is_told(
    wrong: str, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kind(wrong) == "run"
    (call,) = calls(wrong, samples)
    with pytest.raises((RefusedError, ImportError, FileNotFoundError)):
        run(call, monkeypatch)


@pytest.mark.parametrize("tool", TOOLS)
def test_programs_of_others_run_where_they_are(
    tool: str, tmp_path: Path, is_shortened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A system may have perf and not let it look at anything.
    tried = "perf stat true" if tool == "perf" else f"type {tool}"
    if subprocess.run(["bash", "-c", tried], check=False, capture_output=True).returncode:
        pytest.skip(f"{tool} does not run here")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, sys.path)]))
    (tmp_path / "program.py").write_text("sum(range(10**5))\n")
    (tmp_path / "recordings").mkdir()
    parts = tmp_path / "environment" / "site-packages" / "torchaudio" / "lib"
    parts.mkdir(parents=True)
    (parts / "x.so").touch()
    ran = 0
    for command in of_kind("tools"):
        if command.text.split()[0] in TOOLS[tool]:
            (reading,) = typed(command.text, is_shortened=is_shortened)
            done = subprocess.run(
                ["bash", "-ec", reading],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            ran += 1
    assert ran >= len(TOOLS[tool])
    assert (tool == "rm") == (not (parts / "x.so").exists())
