"""What goes wrong between ranks."""

from __future__ import annotations


class RankError(RuntimeError):
    """A rank that died, does not answer, or met an error. rank: its number within the group."""

    def __init__(self, rank: int, reason: str) -> None:
        super().__init__(f"rank {rank} {reason}")
        self.rank, self.reason = rank, reason

    def __reduce__(self) -> tuple[type[RankError], tuple[int, str]]:
        """Return what a pickle keeps."""
        return RankError, (self.rank, self.reason)
