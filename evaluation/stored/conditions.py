"""The ways to store embeddings: a number format, with each row scaled to its range or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

import minifloat as mf

Scale = Literal["none", "amax"]
SCALES: dict[Scale, str] = {"none": "as it is", "amax": "scaled"}
# In order: what every condition is compared with comes first.
REFERENCES = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way to store embeddings. A reference is scored by torch, a format by minifloat.

    Without `saturate`, values that are too large become what the format has for them: infinity or
    NaN; the cosine of a row with one is no number, and it is never accepted.
    """

    format: mf.Format | torch.dtype
    scale: Scale = "none"
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
        """What readers see: E2M1, E2M1 scaled, E3M4 unsaturated, float16."""
        if isinstance(self.format, torch.dtype):
            return self.name
        scaled = " scaled" if self.scale == "amax" else ""
        return self.name.upper() + scaled + ("" if self.saturate else " unsaturated")

    @property
    def is_float32(self) -> bool:
        """Whether this is what every other condition is compared with."""
        return self.format == torch.float32

    @property
    def is_reference(self) -> bool:
        """Whether this is a type of torch's, not a format of minifloat's."""
        return isinstance(self.format, torch.dtype)


def conditions(
    formats: Sequence[mf.Format], *, unsaturated: Sequence[mf.Format] = ()
) -> list[Condition]:
    """Return the references, then each format as it is and scaled, and what is unsaturated."""
    stored = []
    for format in formats:
        stored.append(Condition(format=format))
        if format in unsaturated:
            stored.append(Condition(format=format, saturate=False))
        stored.append(Condition(format=format, scale="amax"))
    return [Condition(format=dtype) for dtype in REFERENCES] + stored
