"""`minifloat verify`: trials of speaker verification are decided at a threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain, islice

from minifloat.cli import options as on
from minifloat.cli.commands import FINE, WRONG
from minifloat.cli.databases import Database, opened
from minifloat.cli.errors import InputError, tell
from minifloat.cli.progress import watched
from minifloat.cli.results import results, shortest
from minifloat.cli.trials import Trial, trials

# Trials that are scored at once.
_TOGETHER = 1 << 14

_DECISIONS = {True: "accept", False: "reject"}

# Some trials, their scores, and whether each is accepted.
_Decided = tuple[list[Trial], list[float], list[bool]]


@dataclass
class Counts:
    """How many trials were decided how, of those with labels."""

    targets: int = 0
    nontargets: int = 0
    false_acceptances: int = 0
    false_rejections: int = 0

    def add(self, some: Iterable[Trial], accepted: Iterable[bool]) -> None:
        """Count some trials."""
        for trial, is_accepted in zip(some, accepted, strict=True):
            if trial.label is None:
                continue
            self.targets += trial.label
            self.nontargets += not trial.label
            self.false_rejections += trial.label and not is_accepted
            self.false_acceptances += is_accepted and not trial.label

    def __str__(self) -> str:
        """Return both kinds of errors with their rates."""
        return (
            f"false acceptances: {_of(self.false_acceptances, self.nontargets)}; "
            f"false rejections: {_of(self.false_rejections, self.targets)}"
        )


def verify(
    database: on.Database,
    list_of_trials: on.Trials,
    threshold: on.Threshold,
    ids: on.DatabaseIds = None,
    counts_only: on.CountsOnly = False,
    out: on.Out = "-",
    as_json: on.Json = False,
) -> int:
    """Decide trials, pairs of ids, at a threshold.

    Those are accepted whose cosine is at least the threshold; NaN is not. Results have both ids,
    score and decision (accept or reject) of each trial and, where the list has labels, the label.
    False acceptances and rejections are then counted on stderr, or with --counts in place of the
    trials; with any of them the exit code is 1.
    """
    if not -1 <= threshold <= 1:
        raise InputError(f"--threshold must be from -1 to 1; got {threshold}")
    read = trials(list_of_trials)
    first = [*islice(read, 1)]
    if not first:
        raise InputError(f"{list_of_trials} must hold at least one trial; got none")
    labelled = first[0].label is not None
    if counts_only and not labelled:
        raise InputError(f"--counts needs labels, which {list_of_trials} does not have")
    counts = Counts()
    with closing(opened(database, ids)) as rows:
        decided = _decided(rows, chain(first, read), threshold)
        columns = ["id_a", "id_b", "score", "decision", *(["label"] if labelled else [])]
        columns = [*asdict(counts)] if counts_only else columns
        with results(out, columns, as_json=as_json) as written:
            for some, scores, accepted in decided:
                counts.add(some, accepted)
                if not counts_only:
                    left, right, labels = zip(*some, strict=True)
                    told = [[*left], [*right], scores, [_DECISIONS[one] for one in accepted]]
                    written.write(*told, *([[int(one) for one in labels]] if labelled else []))
            if counts_only:
                written.write(*[[count] for count in asdict(counts).values()])
    if labelled and not counts_only:
        tell("counts", counts)
    return WRONG if counts.false_acceptances or counts.false_rejections else FINE


def _decided(rows: Database, read: Iterator[Trial], threshold: float) -> Iterator[_Decided]:
    """Yield trials with scores and decisions, some at a time, behind a bar."""

    def scored() -> Iterator[_Decided]:
        while some := [*islice(read, _TOGETHER)]:
            scores = rows.cosines([one.left for one in some], [one.right for one in some])
            # In float64, where the threshold is what was typed; comparisons with NaN are false.
            yield some, shortest(scores), (scores.double() >= threshold).tolist()

    yield from watched(scored(), None, name="verifying", size=lambda found: len(found[0]))


def _of(errors: int, trials: int) -> str:
    return f"{errors} of {trials}" + (f" ({errors / trials:.2%})" if trials else "")
