"""The look of all figures, and how one becomes SVG text."""

import io
import re
import zlib
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

# The report replaces these by its own variables, so that figures follow light and dark.
INK, MUTED, RULE, CARD = "#1f2329", "#68717d", "#d3d8de", "#fdfdfd"
TARGET, NONTARGET = "#2f81d8", "#d97328"
# Inches. Narrow, so that words stay readable where a telephone shows the whole width.
WIDTH = 5.2
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": CARD,
    "axes.facecolor": "none",
    "savefig.facecolor": CARD,
}


def percent_axis() -> FuncFormatter:
    """Labels in percent for an axis of shares."""
    return FuncFormatter(lambda share, _: f"{100 * share:g} %")


def label(name: str) -> str:
    """Return a name of the data as the text of a figure, in which $ begins no formula."""
    readable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return readable.replace("$", r"\$")


def svg(name: str, height: float, draw: Callable[[Figure], None]) -> str:
    """Return what `draw` puts on a figure, `height` in inches, the same text in every run."""
    # The salt makes the ids inside a figure its own and the same in every run.
    with mpl.rc_context(STYLE | {"svg.hashsalt": f"{zlib.crc32(name.encode()):08x}"}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # A hundredth of a point is finer than any screen; the rest of the digits is half the file.
    return re.sub(r"(\.\d\d)\d+(?=[ \"\n])", r"\1", buffer.getvalue())
