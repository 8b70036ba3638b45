"""The ways to store embeddings: a number format, and what is done to rows before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

import minifloat as mf

Preparation = Literal["none", "amax", "maximum", "frame", "feedback"]
PREPARATIONS: dict[Preparation, str] = {
    "none": "as it is",
    "amax": "scaled",
    "maximum": "scaled by the maximum",
    "frame": "framed",
    "feedback": "framed, feedback",
}
# What readers must know of the last ones.
MEANINGS = {
    "scaled": "Each vector is first multiplied by the factor that takes its largest value to the "
    "largest of the format. A cosine does not depend on the factor, so it need not be kept.",
    "scaled by the maximum": "The same with the largest value, whatever magnitude negative ones "
    "have: those beyond the format saturate. An equation of the published study can be read so; "
    "nothing is stored like this, and no verdict heeds it.",
    "framed": "What vectors have in common is taken out first: the part along the direction of "
    "their mean is kept beside the codes, 4 bytes a vector, and what is left is turned at random, "
    "which changes no cosine, and scaled so that scores are right on average. The frame, that "
    "direction and the turn, is fitted on vectors of the file, two thousand at most, evenly "
    "spaced; who speaks in them plays no part.",
    "framed, feedback": "In a frame, each code takes up errors of those before it, so that errors "
    "are where vectors like these seldom are. Tried where vectors held back of the sample show "
    "that it pays.",
}
# With 8 bits there is nothing to gain from feedback.
_MOST_FED_BACK_BITS = 6
# In order: what every condition is compared with comes first.
REFERENCES = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way to store embeddings. A reference is scored by torch, a format by minifloat.

    Without `saturate`, values that are too large become what the format has for them: infinity or
    NaN; the cosine of a row with one is no number, and it is never accepted.
    """

    format: mf.Format | torch.dtype
    prepared: Preparation = "none"
    saturate: bool = True

    @property
    def name(self) -> str:
        """The format's name: e2m1, float16."""
        return str(self.format).removeprefix("torch.")

    @property
    def bits(self) -> int:
        """Bits of one value."""
        if isinstance(self.format, torch.dtype):
            return self.format.itemsize * 8
        return self.format.bits

    @property
    def label(self) -> str:
        """What readers see: E2M1, E2M1 scaled, E2M1 framed, E3M4 unsaturated, float16."""
        if isinstance(self.format, torch.dtype):
            return self.name
        prepared = "" if self.prepared == "none" else f" {PREPARATIONS[self.prepared]}"
        return self.name.upper() + prepared + ("" if self.saturate else " unsaturated")

    @property
    def is_float32(self) -> bool:
        """Whether this is what every other condition is compared with."""
        return self.format == torch.float32

    @property
    def is_offered(self) -> bool:
        """Whether somebody may want to store embeddings so: in a format that saturates."""
        return not self.is_reference and self.saturate and self.prepared != "maximum"

    @property
    def is_reference(self) -> bool:
        """Whether this is a type of torch's, not a format of minifloat's."""
        return isinstance(self.format, torch.dtype)


def conditions(
    formats: Sequence[mf.Format],
    *,
    unsaturated: Sequence[mf.Format] = (),
    by_maximum: bool = False,
    feeds_back: bool = False,
) -> list[Condition]:
    """Return the references, then each format as it is, scaled and framed, and what is unsaturated.

    Scaled by the maximum too where that differs, and with feedback, of formats of few bits, where
    that pays.
    """
    stored = []
    for format in formats:
        stored.append(Condition(format=format))
        if format in unsaturated:
            stored.append(Condition(format=format, saturate=False))
        stored.append(Condition(format=format, prepared="amax"))
        if by_maximum:
            stored.append(Condition(format=format, prepared="maximum"))
        stored.append(Condition(format=format, prepared="frame"))
        if feeds_back and format.bits <= _MOST_FED_BACK_BITS:
            stored.append(Condition(format=format, prepared="feedback"))
    return [Condition(format=dtype) for dtype in REFERENCES] + stored
