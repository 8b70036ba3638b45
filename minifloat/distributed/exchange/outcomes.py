"""What becomes of a round where not all goes well: who is named to all, and in what words."""

from __future__ import annotations

from collections.abc import Sequence

from minifloat.distributed.exchange.messages import Message, Status
from minifloat.index.catalog.errors import DamagedError

ANEW = "this group cannot be used any more: have all ranks exit, and start them anew"

# What is wrong with a call, which all ranks have made alike.
REFUSED = {kind.__name__: kind for kind in (ValueError, KeyError, LookupError, TypeError)}


def status_of(error: Exception) -> tuple[Status, str]:
    """Return what an error is to all ranks, and its words.

    That of files leaves the others able to answer in part.
    """
    name = type(error).__name__
    if type(error) is REFUSED.get(name):
        return Status.REFUSED, f"{name}: {error.args[0] if error.args else ''}"
    is_damage = isinstance(error, (OSError, DamagedError))
    return Status.DAMAGED if is_damage else Status.FAILED, f"failed: {name}: {error}"


def refused(message: Message) -> Exception:
    """Return what all ranks raise of a call that one has refused."""
    kind, _, reason = message.text.partition(": ")
    return REFUSED[kind](reason if message.rank == 0 else f"rank {message.rank}: {reason}")


def worst(parts: Sequence[Message], *, allow_partial: bool) -> Message | None:
    """Return what all are to hear of, if anything: who met an error itself comes first."""
    passing = {Status.HERE, Status.DAMAGED} if allow_partial else {Status.HERE}
    wrong = [one for one in parts if one.status not in passing]
    if not wrong and all(one.status == Status.DAMAGED for one in parts):
        wrong = [*parts]
    return min(wrong, key=lambda one: one.status, default=None)


def lost(error: RuntimeError, seconds: float) -> str:
    """Return why a rank is lost, from which nothing came within some seconds."""
    if "imed out" in str(error):
        what = (
            f"did not answer within {seconds:g} s: it hangs, or one batch takes longer than its "
            "timeout"
        )
    else:
        # gloo's own words begin with a place in its sources, and end with advice.
        what = f"is gone: {str(error).split('] ', 1)[-1].split('. ')[0]}"
    return f"{what}; {ANEW}"
