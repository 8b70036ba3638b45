"""Contests: who takes part is checked first, then timed in turn, and put on record."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from benchmarks.harness.case import Case, Outcome, Setting, seconds_left
from benchmarks.harness.rival import Rival
from benchmarks.harness.timing import Clock, Run, Timing, timing_of

# Rounds that a case gets however late it is, so that it has quartiles.
_LEAST_ROUNDS = 3


@dataclass(frozen=True)
class Entrant:
    """One of those that are timed in turn.

    `start` makes its run, or says None where it cannot do the work. `check` runs that and returns
    its recall (None where answers are exact), or raises RivalError. A run moves so many bytes, and
    does so much of what is counted in a second, by the names of the rates; `limits` names the
    entrants that it is held against.
    """

    name: str
    start: Callable[[], Run | None]
    check: Callable[[Run], float | None]
    bytes: int = 0
    work: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def rates(self, seconds: float) -> dict[str, float]:
        """Return gigabytes and other work of a second, of those that it has."""
        work = {"gb_per_s": self.bytes / 1e9, **self.work}
        return {name: amount / seconds for name, amount in work.items() if amount}


def limit(
    name: str, start: Callable[[], Run], *, bytes: int = 0, work: Mapping[str, float] | None = None
) -> Entrant:
    """Return a limit, whose answer nobody needs."""

    def check(run: Run) -> None:
        run()

    return Entrant(name, start, check, bytes, work or {})


def entrants(
    rivals: Iterable[Rival[Any]],
    job: object,
    *,
    bytes: int = 0,
    work: Mapping[str, float] | None = None,
) -> list[Entrant]:
    """Return the rivals as entrants that do a job."""
    return [
        Entrant(rival.name, partial(rival.start, job), partial(rival.check, job), bytes, work or {})
        for rival in rivals
    ]


@dataclass(frozen=True)
class Contest:
    """Who is timed in turn on one input, and what all of them work on.

    It keeps that, because kernels hold no more than the addresses of what they read and write.
    """

    job: object
    ours: Sequence[Entrant]
    limits: Sequence[Entrant]
    rivals: Sequence[Entrant]

    @property
    def entrants(self) -> tuple[Entrant, ...]:
        """All of them."""
        return (*self.ours, *self.limits, *self.rivals)


class ContestCase(Case):
    """A case that minifloat, limits and rivals take part in."""

    @property
    def by_wall(self) -> bool:
        """Whether runs are timed as their caller sees them, and not by the device's own clock."""
        return False

    @abstractmethod
    def contest(self, setting: Setting) -> Contest:
        """Return who takes part, on inputs that are there."""

    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return times, rates, recall and memory of all, and ours against the others'."""
        contest, outcome = self.contest(setting), Outcome()
        ready = {e.name: e for e in contest.entrants}
        figures: dict[str, dict[str, Any]] = {}
        runs: dict[str, Run] = {}
        for name, entrant in ready.items():
            with self.attempt(name, setting, outcome):
                run = entrant.start()
                if run is not None:
                    figures[name] = _checked(entrant, run, setting)
                    runs[name] = run
        rounds = self._in_turn(runs, setting, until, outcome)
        times = {name: timing_of(seconds) for name, seconds in rounds.items()}
        for name, time in times.items():
            figures[name] |= {**asdict(time), **ready[name].rates(time.median_s)}
        outcome.found = {
            "rounds": max(map(len, rounds.values()), default=0),
            "limits": {e.name: figures[e.name] for e in contest.limits if e.name in times},
            "minifloat": [
                {**e.facts, **figures[e.name], **_compared(e, contest, times)}
                for e in contest.ours
                if e.name in times
            ],
            "rivals": {e.name: figures[e.name] for e in contest.rivals if e.name in times},
        }
        return outcome

    def _in_turn(
        self, runs: Mapping[str, Run], setting: Setting, until: float, outcome: Outcome
    ) -> dict[str, list[float]]:
        """Return the seconds of each round of each run, less those that fail on the way."""
        clocks: dict[str, Clock] = {}
        clock_of = setting.device.wall if self.by_wall else setting.device.clock
        for name, run in runs.items():
            with self.attempt(name, setting, outcome):
                clocks[name] = clock_of(run)
        seconds: dict[str, list[float]] = {name: [] for name in clocks}
        for number in range(setting.rounds):
            if number >= _LEAST_ROUNDS and seconds_left(until) <= 0:
                break
            for name in [name for name in clocks if name not in outcome.failures]:
                with self.attempt(name, setting, outcome):
                    seconds[name].append(clocks[name]())
        return {name: some for name, some in seconds.items() if name not in outcome.failures}


def _checked(entrant: Entrant, run: Run, setting: Setting) -> dict[str, Any]:
    recall, peak = entrant.check(run), setting.device.peak_bytes(run)
    figures = {"recall": recall, "peak_bytes": peak, "bytes": entrant.bytes or None}
    return {name: value for name, value in figures.items() if value is not None}


def _compared(
    ours: Entrant, contest: Contest, times: Mapping[str, Timing]
) -> dict[str, float | dict[str, float]]:
    """Return our shares of limits, and rivals' times over ours."""
    seconds = times[ours.name].median_s
    rates = ours.rates(seconds)
    shares: dict[str, float | dict[str, float]] = {}
    for group, names in ours.limits.items():
        held = [e for e in contest.limits if e.name in names and e.name in times]
        for unit in sorted({unit for e in held for unit in e.rates(1.0)}):
            best = max(e.rates(times[e.name].median_s)[unit] for e in held)
            shares[f"share_of_{group}"] = rates[unit] / best
    rivals = {e.name: times[e.name].median_s for e in contest.rivals if e.name in times}
    return {**shares, "ratios": {name: time / seconds for name, time in rivals.items()}}
