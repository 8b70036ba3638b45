"""The commands and code blocks that the pages print, and what a reader puts for placeholders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.paths import ROOT

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
    "evaluation/samples/README.md",
    "examples/README.md",
)

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the site makes of other pages, files and docstrings.
_DIRECTIVE = re.compile(r"^```\{[\w-]+\}.*?^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n)+")
# A list of files and lines of code in them, which another test looks up.
_QUOTED = re.compile(r"^- `[^`\n]+`: `.+`$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
# What is a command even without an option.
_PROGRAM = re.compile(r"(scripts/|\.ci/|(python|minifloat|torchrun|pip|source|rm|mkdir) )")
_OPTION = re.compile(r"\s-{1,2}[A-Za-z]")


@dataclass(frozen=True)
class Command:
    """A command as a page prints it."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the language that it names."""

    page: str
    language: str
    text: str


def read(page: str) -> str:
    return (ROOT / page).read_text()


def blocks(page: str, text: str) -> list[Block]:
    found = _FENCED.finditer(_DIRECTIVE.sub("", text))
    return [Block(page, *match.groups()) for match in found]


def commands(page: str, text: str) -> list[Command]:
    """Return each line of an indented block, and what is code within a sentence and a command."""
    return [Command(page, found) for found in _commands(_without_blocks(page, text))]


def options(page: str, text: str) -> list[str]:
    """Return the options that a page names by themselves, such as `--out`."""
    codes = _CODE.findall(_without_blocks(page, text))
    return [found[1] for code in codes if (found := re.match(r"(--[\w-]+)(?![\w.-])", code))]


def _without_blocks(page: str, text: str) -> str:
    rest = _QUOTED.sub("", _FENCED.sub("", _DIRECTIVE.sub("", text)))
    if "```" in rest or rest.count("`") % 2:
        raise ValueError(f"{page}: a block or a piece of code must end, and begin a line")
    return rest


def _commands(text: str) -> Iterator[str]:
    at = 0
    for block in _INDENTED.finditer(text):
        yield from _within_sentences(text[at : block.start()])
        yield from (line.strip() for line in block[0].splitlines())
        at = block.end()
    yield from _within_sentences(text[at:])


def _within_sentences(text: str) -> Iterator[str]:
    for code in _CODE.findall(text):
        words = " ".join(code.split())
        if _PROGRAM.match(words) or (_OPTION.search(words) and not words.startswith("-")):
            yield words


# What is put for a placeholder, or for an option and its placeholder: the first that matches.
PLACEHOLDERS = {
    # Other tests run several ranks.
    r"torchrun --nproc-per-node N": "python",
    # A file has the rows of one model, so another one gets its own.
    r"FILE\.safetensors --weights PATH": "campplus.safetensors --weights PATH",
    # Of what is merged already there is no shard.
    r"FILE\.safetensors(?= --shard)": "parts.safetensors",
    r"(?<=merge --out )FILE\.safetensors": "parts.safetensors",
    r"NAME(?=.* --weights)": "campplus",
    r"--weights PATH": "--weights campplus_cn_en_common.pt",
    r"FILE\.safetensors": "voices.safetensors",
    r"--model NAME": "--model own:embed",
    r"--study FILE": "--study draws.toml",
    r"--out DIR": "--out report",
    r"NAME=FILE\.\.\.": "voices=so762-campplus.npz so762-ge2e.npz",
    r"(?<=bitdepth )FILE\.\.\.": "so762-campplus.npz",
    r"FILE\.\.\.": "so762-campplus.npz so762-ge2e.npz",
    r"NAMES": "e3m4,e2m1",
    r"NAME\.\.\.": "campplus",
    r"DIR": "recordings",
    r"LIST": "trials.txt",
    r"COSINE": "0.5",
    r"SHARE": "0.9",
    r"RATE": "50%",
    r"N(?= |$)": "7",
    r"PROGRAM\.py": "program.py",
    r"FOLDER_OF_FULL_FILES": "full",
    r"\.\.\./": "environment/",
}


def readings(command: str) -> list[str]:
    """Return what a reader may type: nothing that is optional, and all of it in each way.

    Optional parts are in brackets, ways are parted by bars.
    """
    needed, *optional = re.split(r"\[([^]]+)\]", command)
    parts = [needed, *optional]
    ways = [part.split(" | ") for part in parts[1::2]]
    found = ["".join(parts[::2])]
    for i in range(max(map(len, ways), default=0)):
        chosen = [way[min(i, len(way) - 1)] for way in ways]
        found.append("".join(a + b for a, b in zip(parts[::2], [*chosen, ""], strict=True)))
    return [_filled(re.sub(" +", " ", one).strip()) for one in found]


def _filled(command: str) -> str:
    for placeholder, value in PLACEHOLDERS.items():
        command = re.sub(rf"(?<![\w.]){placeholder}", value, command)
    return command
