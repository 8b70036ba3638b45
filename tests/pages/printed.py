"""The commands and code blocks of all pages, by what proves them."""

import re
import tomllib

from tests.pages.reading import PAGES, Block, Command, blocks, commands, read
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

PRINTED = [command for page in PAGES for command in commands(page, read(page))]
BLOCKS = [block for page in PAGES for block in blocks(page, read(page))]

# What proves a command: the first whose pattern it matches.
KINDS = {
    "continuous integration": r"\.ci/(run|nightly)$"
    r"|scripts/(install|lint|demo|docs|test( --(long|triton))?)$",
    # They take minutes, a GPU or a library that tests do not install, or record figures that
    # continuous integration compares: their options are parsed.
    "understood": r"scripts/(bench|count|gpu|scale|test --\w+)\b"
    r"|python .*( --model ge2e\b|\.recall\b|\.exchange\b|\.sample_figures\b| voxtube\b)",
    # tests/examples runs them.
    "examples": r"python (-m uvicorn --app-dir )?examples\b",
    # tests/package/test_versions.py has what it refuses.
    "releases": r"scripts/release 0\.2\.0$",
    "pip": r"pip (install|download) ",
    "launchers": r"(srun .* )?torchrun (?!.* -m evaluation )",
    "tools": r"(source|mkdir|find|rm|perf|valgrind|callgrind_annotate|nvcc|cuobjdump) ",
    "run": r"(python|minifloat|torchrun --nproc-per-node N -m evaluation) ",
}

# The files that blocks of a language are.
FILES = {"toml": "study.toml", "python": "own.py"}


def kind(command: str) -> str | None:
    bare = re.sub(r"\s+#.*", "", command)
    return next((name for name, pattern in KINDS.items() if re.match(pattern, bare)), None)


def of_kind(name: str) -> list[Command]:
    """Return the commands of a kind, each once."""
    return [*{c.text: c for c in PRINTED if kind(c.text) == name}.values()]


def is_doctest(block: Block) -> bool:
    return block.language == "python" and ">>>" in block.text
