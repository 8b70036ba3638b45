"""One self-contained HTML page: the summary, then sections, then how all of it was made."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import jinja2
from markupsafe import Markup

import minifloat as mf
from evaluation.command.errors import InputError
from evaluation.page.figure import Figure
from evaluation.page.table import Table

FOLDER = Path(__file__).parent
PACKAGES = ("torch", "numpy", "matplotlib", "jinja2")


@dataclass(frozen=True, kw_only=True)
class Points:
    """A list of sentences, or with `terms` what each term means."""

    points: Sequence[str] = ()
    terms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Blocks that a reader unfolds by their title."""

    title: str
    blocks: Sequence["Block"]


Block = str | Points | Table | Figure | Fold


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: a title, and paragraphs, points, tables and figures in reading order.

    A string is a paragraph. Figures that follow each other share a row where there is room.
    """

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Making:
    """How the numbers were made: what the last section of the page tells.

    `data` has the SHA-256 of each file by its name, `facts` whatever else is to be known by its
    heading, `packages` those whose versions matter besides the usual ones.
    """

    command: str
    seed: int | None
    data: Mapping[str, str]
    facts: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[str] = ()

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what made the numbers, by name."""
        own = {"minifloat": mf.__version__, "Python": platform.python_version()}
        return own | {name: version(name) for name in (*PACKAGES, *self.packages)}


def render(
    title: str, summary: Sequence[Block], sections: Sequence[Section], making: Making
) -> str:
    """Return the page. Texts are escaped, unless they are `markupsafe.Markup`."""
    _refuse_shared_slugs(sections)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja").render(
        title=title,
        summary=summary,
        sections=sections,
        making=making,
        groups=_groups,
        style=Markup((FOLDER / "page.css").read_text()),
        script=Markup((FOLDER / "page.js").read_text()),
    )


def _refuse_shared_slugs(sections: Sequence[Section]) -> None:
    slugs = [slug for section in sections for slug in _slugs(section.blocks)]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if twice:
        raise InputError(f"slugs of tables and figures must differ; got {twice[0]} twice")


def _slugs(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Table | Figure):
            yield block.slug
        elif isinstance(block, Fold):
            yield from _slugs(block.blocks)


def _groups(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """The blocks with their kind, figures in a row together, and so brief tables."""
    for kind, alike in groupby(blocks, key=_kind):
        if kind in ("figures", "briefs"):
            yield kind, list(alike)
        else:
            yield from ((kind, [block]) for block in alike)


def _kind(block: Block) -> str:
    if isinstance(block, Table):
        return "briefs" if block.brief else "table"
    if isinstance(block, Figure):
        return "figures"
    if isinstance(block, Fold):
        return "fold"
    return "points" if isinstance(block, Points) else "text"
