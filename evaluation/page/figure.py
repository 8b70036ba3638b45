"""Figures of a page: SVG that takes the page's colours, with words for those who cannot see it."""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

from evaluation.page.plots import CARD, INK, MUTED, NONTARGET, RULE, TARGET
from evaluation.page.table import anchor_of

VARIABLES = {
    **{INK: "ink", MUTED: "muted", RULE: "rule", CARD: "card"},
    **{TARGET: "target", NONTARGET: "nontarget"},
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the page: its SVG, what it shows in place of seeing it, and a caption.

    `slug` names its file and is unique on the page. A `tall` one stands beside two others where
    there is room.
    """

    slug: str
    svg: str
    alt: str
    caption: str
    tall: bool = False

    @property
    def anchor(self) -> str:
        """The figure's id on the page, with which those inside it begin."""
        return anchor_of(self.slug)

    def inline(self) -> Markup:
        """Return the figure as an element of the page: ids of its own, colours of the page."""
        svg = self.svg[self.svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        # The two of the outermost element: texts may hold the same letters.
        svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg, count=2).replace("xlink:href=", "href=")
        svg = re.sub(r'\bid="', f'id="{self.anchor}-', svg)
        svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{self.anchor}-", svg)
        for colour, variable in VARIABLES.items():
            svg = svg.replace(colour, f"var(--{variable})")
        # The page's style sheet gives the size; the view box keeps the shape.
        svg = re.sub(r'<svg width="[^"]*" height="[^"]*"', "<svg", svg, count=1)
        return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{escape(self.alt)}"', 1))
