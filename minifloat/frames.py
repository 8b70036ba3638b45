"""Frames: what rows are turned into before they are rounded, so that few bits decide alike."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor

from minifloat import feedback as feedbacks
from minifloat.arrays import RowsLike, as_rows
from minifloat.axes import axes_of
from minifloat.feedback import Feedback
from minifloat.scaling import amax, check_finite
from minifloat.turning import Turn, no_turn, random_turn, turned_back

_ops = torch.ops.minifloat

MOST_AXES = 16

# So many rows of a sample tell the axes.
_MOST_ROWS = 1 << 14

_FIELDS = ("axes", "rotate", "seed", "shares", "next_share", "feedback")

# One more axis is proposed where it would hold as much of the squares of rows' lengths.
_WORTH_AN_AXIS = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """Axes along which rows keep their coordinates, and a turn of the rest. Made by `fit`.

    axes: (axes, dim) float32, orthonormal, on the CPU. The first is the direction of the sample's
    mean.
    rotate, seed: whether the rest of a row is turned, and by which signs.
    shares: what each axis holds of the sum of squares of the sample's rows.
    next_share: what one more axis would hold.
    feedback: how codes take up each other's errors, or None.

    A frame changes no cosines. That of two rows is the sum of the products of their coordinates,
    plus the product of their rests. Frames are equal if dim, axes and turn are: feedback changes
    which codes rows get, not where they are, so rows with and without it are in one frame.
    """

    axes: Tensor
    rotate: bool
    seed: int
    shares: tuple[float, ...]
    next_share: float
    feedback: Feedback | None = None
    _on: dict[torch.device, tuple[Tensor, Turn]] = field(default_factory=dict, init=False)

    @staticmethod
    def fit(
        sample: RowsLike,
        axes: int = 1,
        *,
        rotate: bool = True,
        seed: int = 0,
        feedback: bool | Literal["force"] = False,
    ) -> Frame:
        """Return the frame of a sample of rows, (rows, dim): 50 or more, as they will be quantized.

        axes: 1 to 16. The first is the direction of the mean of the rows, each at length 1. Further
        ones are the leading principal axes of what is left. One holds most of each row where a
        model's values have an offset; a few tight clusters want as many axes as clusters. Each
        costs 4 bytes a row.

        feedback: measure also, on 500 rows or more, how codes can take up each other's errors, for
        `quantize(..., rounding="feedback")`. The frame then holds dim * dim float32. Rows held back
        of the sample tell which share of the errors of products is left; above 0.9 `quantize`
        refuses feedback, unless this is "force".

        Zero rows tell nothing and are left out. Of more than 16 384 rows some are taken, evenly
        spaced. Raises ValueError for a row that holds NaN or infinity, and names it.
        """
        rows = as_rows("sample", sample).detach()
        if rows.ndim != 2 or not rows.shape[1]:
            raise ValueError(
                f"sample must have shape (rows, dim), dim at least 1; got {tuple(rows.shape)}"
            )
        dim = rows.shape[1]
        if not 0 <= axes <= min(MOST_AXES, dim):
            raise ValueError(f"axes must be in 0..{min(MOST_AXES, dim)}; got {axes}")
        if feedback not in (False, True, "force"):
            raise ValueError(f"feedback must be False, True or 'force'; got {feedback!r}")
        check_finite("sample", amax(rows))
        rows = rows[:: -(-len(rows) // _MOST_ROWS) or 1].cpu().double()
        # Squares of what is far from 1 would be beyond the largest number.
        rows = rows / torch.where(amax(rows) > 0, amax(rows), 1.0)
        lengths = torch.linalg.vector_norm(rows, dim=1)
        rows = rows[lengths > 0] / lengths[lengths > 0, None]
        if len(rows) == 0:
            raise ValueError(
                f"sample must have a row that is not zero; got {len(lengths)} zero rows"
            )
        found = axes_of(rows, axes + 1 if axes < dim else axes)
        shares = (rows @ found.T).square().mean(0).tolist()
        frame = Frame(
            found[:axes].float().contiguous(),
            rotate,
            seed,
            tuple(shares[:axes]),
            max(shares[axes:], default=0.0),
        )
        return frame._with_feedback(rows, feedback == "force") if feedback else frame

    def __post_init__(self) -> None:
        refuse_wrong(**self.__getstate__())

    @property
    def dim(self) -> int:
        """Values of a row."""
        return self.axes.shape[1]

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell frames apart in which rows differ."""
        facts = f"{tuple(self.axes.shape)} {self.rotate} {self.seed if self.rotate else 0} "
        data = self.axes.contiguous().view(torch.uint8).numpy().tobytes()
        return hashlib.sha256(facts.encode() + data).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        """Return whether rows in both frames are the same."""
        if not isinstance(other, Frame):
            return NotImplemented
        return self is other or self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        """Return the axes, what each holds, and what would be better."""
        held = ", ".join(f"{share:.1%}" for share in self.shares)
        more = (
            f"; one more axis would hold {self.next_share:.1%}"
            if self.next_share > _WORTH_AN_AXIS and len(self.axes) < min(MOST_AXES, self.dim)
            else ""
        )
        turn = f"turned by seed {self.seed}" if self.rotate else "not turned"
        axes = f"{len(self.axes)} ax{'i' if len(self.axes) == 1 else 'e'}s"
        holding = f" that hold{'s' * (len(self.axes) == 1)} {held}" if held else ""
        fed = (
            "" if self.feedback is None else f", feedback leaves {self.feedback.gain:.0%} of errors"
        )
        return f"Frame(dim {self.dim}, {axes}{holding}{more}, {turn}{fed}, {self.digest})"

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields; what they are on devices is made again."""
        return {name: vars(self)[name] for name in _FIELDS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields of a pickle; ValueError if they are not those of a frame.

        `torch.load` gives whatever a file holds, under any name.
        """
        if sorted(state) != sorted(_FIELDS):
            raise ValueError(f"Frame has {', '.join(_FIELDS)}; got {', '.join(map(str, state))}")
        refuse_wrong(**state)
        vars(self).update(state, _on={})

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rest of rows (rows, dim) beside their parts along the axes, turned.

        And the coordinates (rows, axes) and the length of the rest (rows,), of rows at length 1:
        all float32. The rest is longer than it was, by a factor that it has in all rows alike but
        for a power of 2 in each.
        """
        rest, coordinates, lengths = _ops.project(x, tensors_of(self, x.device))
        return rest, coordinates, lengths

    def rows_of(self, rest: Tensor, coordinates: Tensor) -> Tensor:
        """Return rows of a turned rest, which is at its own length, and coordinates: float32.

        What roundings have put into the rest along an axis is left out, as it is in scores.
        """
        axes, turn = self._on_device(rest.device)
        # A turn lengthens; back from it rows are as long as they were turned.
        rest = turned_back(rest * turn.growth**0.5, turn)
        return rest + (coordinates - rest @ axes.T) @ axes

    def _with_feedback(self, rows: Tensor, forced: bool) -> Frame:
        """Return the same frame with what feedback needs of rows of length 1, float64."""
        rests, _, lengths = (part.double() for part in self.project(rows))
        lengthened = torch.linalg.vector_norm(rests, dim=1)
        rests *= torch.where(lengthened > 0, lengths / lengthened, 0.0)[:, None]
        return replace(self, feedback=Feedback.fit(rests, forced=forced))

    def _on_device(self, device: torch.device) -> tuple[Tensor, Turn]:
        if device not in self._on:
            turn = random_turn(self.dim, self.seed) if self.rotate else no_turn(self.dim)
            self._on[device] = (self.axes.to(device), turn.to(device))
        return self._on[device]


def tensors_of(frame: Frame, device: torch.device, *, feeds_back: bool = False) -> list[Tensor]:
    """Return a frame as operators take it: axes, signs and order of the turn, shares of errors."""
    axes, turn = frame._on_device(device)
    feedback = frame.feedback if feeds_back else None
    shares = axes[:0] if feedback is None else feedback.shares.to(device)
    return [axes, *turn, shares]


def refuse_wrong(
    *, axes: Any, rotate: Any, seed: Any, shares: Any, next_share: Any, feedback: Any
) -> None:
    """Raise ValueError for fields that are not those of a frame."""
    if (
        not isinstance(axes, Tensor)
        or axes.dtype != torch.float32
        or axes.ndim != 2
        or not len(axes) <= MOST_AXES
        or axes.shape[1] < 1
        or not axes.is_cpu
    ):
        raise ValueError(
            f"axes must be float32 of shape (at most {MOST_AXES}, dim) in main memory; got {axes!r}"
        )
    if type(rotate) is not bool:
        raise ValueError(f"rotate must be True or False; got {rotate!r}")
    if type(seed) is not int or not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must be in 0..2**64 - 1; got {seed!r}")
    numbers = (*shares, next_share) if isinstance(shares, tuple) else (shares,)
    if len(numbers) != len(axes) + 1 or not all(
        isinstance(number, float) and 0 <= number < 2 for number in numbers
    ):
        raise ValueError(
            f"shares must be those of {len(axes)} axes, and next_share one more; got "
            f"{shares!r} and {next_share!r}"
        )
    feedbacks.refuse_wrong(feedback, axes.shape[1])


torch.serialization.add_safe_globals([Frame])
