"""One self-contained HTML page that tells the outcome of the studies of several models."""

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

import minifloat as mf
from evaluation.bitdepth.notation import percent, rare, shift, signed
from evaluation.bitdepth.plots import CARD, INK, MUTED, NONTARGET, RULE, TARGET
from evaluation.bitdepth.storage import storage_mib
from evaluation.bitdepth.study import ModelStudy, Row
from evaluation.bitdepth.verdicts import Verdict, format_verdicts, summarise, verdict
from evaluation.bootstrap import CONFIDENCE
from evaluation.metrics import BINS_PER_UNIT

TEMPLATES = Path(__file__).parent
PACKAGES = ("torch", "numpy", "matplotlib", "jinja2")
VARIABLES = {
    **{INK: "ink", MUTED: "muted", RULE: "rule", CARD: "card"},
    **{TARGET: "target", NONTARGET: "nontarget"},
}
MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the page: its SVG, what it shows in place of seeing it, and a caption."""

    svg: str
    alt: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Making:
    """How the numbers were made."""

    command: str
    draws: int
    seed: int
    tolerance: float


def render(
    studies: Sequence[ModelStudy], figures: Mapping[str, Sequence[Figure]], *, making: Making
) -> str:
    """Return the page; `figures` holds those of each model by the model's name."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "signed": signed,
        "rare": rare,
        "shift": shift,
        "inline": inline_svg,
    }
    tolerance = making.tolerance
    return environment.get_template("report.html.jinja").render(
        studies=studies,
        figures=figures,
        making=making,
        summaries={s.embeddings.name: summarise(s, tolerance=tolerance) for s in studies},
        verdicts={s.embeddings.name: format_verdicts(s, tolerance=tolerance) for s in studies},
        Verdict=Verdict,
        judge=lambda row: verdict(row, tolerance=tolerance),
        million=_mib_of_a_million,
        confidence=round(100 * CONFIDENCE),
        bins_per_unit=BINS_PER_UNIT,
        versions={"minifloat": mf.__version__, "Python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
    )


def _mib_of_a_million(row: Row) -> float:
    return storage_mib(MILLION, bits=row.bits, dim=row.dim)


def inline_svg(figure: Figure, prefix: str) -> Markup:
    """Return the figure as an element of the page, its ids prefixed, its colours the page's own."""
    svg = figure.svg[figure.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg).replace("xlink:href=", "href=")
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    # The page's style sheet gives the size; the view box keeps the shape.
    svg = re.sub(r'<svg width="[^"]*" height="[^"]*"', "<svg", svg, count=1)
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{escape(figure.alt)}"', 1))
