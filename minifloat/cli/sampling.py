"""Frames that are fitted to rows, or taken from a file of rows in one."""

from __future__ import annotations

import torch

from minifloat.cli.errors import InputError
from minifloat.cli.progress import watched
from minifloat.cli.sources import Source
from minifloat.frames import Frame
from minifloat.vectors import PackedVectors

# As many as a frame is fitted to.
_MOST = 1 << 14

FIT, NONE = "fit", "none"


def frame_of(name: str, source: Source, *, feedback: bool = False) -> Frame | None:
    """Return the frame that is fitted to the rows of a source, none, or that of a packed file."""
    return _fitted(source, feedback) if name == FIT else frame_of_file(name)


def frame_of_file(name: str) -> Frame | None:
    """Return the frame of the rows of a packed file, or none where that is its name."""
    if name == NONE:
        return None
    found = PackedVectors.load(name).frame
    if found is None:
        raise InputError(
            f"--frame must be fit, none or a file of rows in a frame; {name} has rows in none"
        )
    return found


def _fitted(source: Source, feedback: bool) -> Frame:
    if not source.again:
        raise InputError(
            f"--frame fit reads rows twice, and {source.name} can be read once; "
            "write them to a file"
        )
    step = -(-source.rows // _MOST) or 1
    parts = []
    for block in watched(source.blocks(), source.rows, name="fitting", size=len):
        if isinstance(block.x, torch.Tensor):
            # The same rows that fitting would take of all of them.
            parts.append(block.x[-block.first % step :: step].clone())
    return Frame.fit(torch.cat(parts), feedback=feedback)
