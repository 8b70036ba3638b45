"""Whether the values of vectors fit a format as they are, or want scaling first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import minifloat as mf
from evaluation.page.notation import rare
from evaluation.stored.conversion import overflowing, scaled

# The share of values that may become zero; what a share costs, the bit-depth study tells.
MANY_ZEROS = 0.05


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Shares of the values of vectors: those too large for a format, and those it makes zero.

    A value that is zero already is not made zero. Scaling leaves nothing too large.
    """

    format: mf.Format
    overflow: float
    zeros: float
    zeros_scaled: float

    @property
    def serves(self) -> bool:
        """Whether scaling would change little: few values are lost, or no fewer with it."""
        few = self.zeros < MANY_ZEROS or self.zeros <= self.zeros_scaled
        return few and self.overflow == 0

    @property
    def verdict(self) -> str:
        """What to do, in a sentence."""
        name = self.format.name.upper()
        found = [f"{rare(self.overflow)} % of values are too large"] if self.overflow else []
        if self.zeros or not found:
            found.append(f"{rare(self.zeros)} % of values become zero")
        advice = "scaling is not needed" if self.serves else "scale first"
        scaled = "" if self.serves else f" ({rare(self.zeros_scaled)} % become zero then)"
        return f"{name} as it is: {' and '.join(found)}; {advice}{scaled}."


def fits(vectors: NDArray[np.float32], formats: Sequence[mf.Format]) -> list[Fit]:
    """Return how the values fit each format."""

    def zeros(given: NDArray[np.float32], format: mf.Format) -> float:
        return float(((mf.round(given, format) == 0) & (vectors != 0)).mean())

    return [
        Fit(
            format=format,
            overflow=float(overflowing(vectors, format).mean()),
            zeros=zeros(vectors, format),
            zeros_scaled=zeros(scaled(vectors, format), format),
        )
        for format in formats
    ]
