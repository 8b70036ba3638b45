"""What a file says of the frame of its rows, beside the frame's axes: a text of JSON."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from torch import Tensor

from minifloat.frames import Frame


class FrameFacts(NamedTuple):
    """All of a frame but its axes, and its digest, which proves them."""

    rotate: bool
    seed: int
    shares: tuple[float, ...]
    next_share: float
    digest: str

    @staticmethod
    def of(frame: Frame) -> FrameFacts:
        """Return those of a frame."""
        return FrameFacts(frame.rotate, frame.seed, frame.shares, frame.next_share, frame.digest)

    @staticmethod
    def read(text: str) -> FrameFacts:
        """Return those of a text; ValueError for what are none."""
        try:
            given: dict[str, Any] = json.loads(text)
            return FrameFacts(**{**given, "shares": tuple(given["shares"])})
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"frame {text[:80]!r} is none: {error}") from error

    def text(self) -> str:
        """Return the text that holds them."""
        return json.dumps(self._asdict(), separators=(",", ":"))

    def frame(self, axes: Tensor) -> Frame:
        """Return the frame of axes; ValueError if these are not its own."""
        frame = Frame(axes, self.rotate, self.seed, self.shares, self.next_share)
        if frame.digest != self.digest:
            raise ValueError(f"its frame is {frame.digest}, and {self.digest} by its name")
        return frame
