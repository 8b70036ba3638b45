"""Contests: who takes part is checked first, then timed in turn, and put on record."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.cases import Run
from benchmarks.gpu.cases import (
    Case,
    Contest,
    Entrant,
    NotHereError,
    Outcome,
    Setting,
    reason,
    seconds_left,
)
from benchmarks.gpu.devices import Device
from benchmarks.timing import Timing, timing_of

# Rounds that a case gets however late it is, so that it has quartiles.
_LEAST_ROUNDS = 3


class ContestCase(Case):
    """A case that minifloat, limits and rivals take part in."""

    @abstractmethod
    def contest(self, setting: Setting) -> Contest:
        """Return who takes part, on inputs that are there."""

    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return times, rates, recall and memory of all, and ours against the others'."""
        contest, outcome = self.contest(setting), Outcome()
        ready = {e.name: e for e in contest.entrants}
        runs: dict[str, Run] = {}
        figures: dict[str, dict[str, Any]] = {}
        for name, entrant in ready.items():
            try:
                run = entrant.start()
                if run is not None:
                    figures[name] = _checked(entrant, run, setting.device)
                    runs[name] = run
            except NotHereError as error:
                outcome.left_out[name] = str(error)
            except Exception as error:
                outcome.failures[name] = reason(error)
                setting.device.recover(f"{name}: {reason(error)}")
        rounds = _in_turn(runs, setting, until, outcome)
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


def _checked(entrant: Entrant, run: Run, device: Device) -> dict[str, Any]:
    recall, peak = entrant.check(run), device.peak_bytes(run)
    figures = {"recall": recall, "peak_bytes": peak, "bytes": entrant.bytes or None}
    return {name: value for name, value in figures.items() if value is not None}


def _in_turn(
    runs: Mapping[str, Run], setting: Setting, until: float, outcome: Outcome
) -> dict[str, list[float]]:
    """Return the seconds of each round of each run, less those that fail on the way."""
    going = dict(runs)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(setting.rounds):
        if number >= _LEAST_ROUNDS and seconds_left(until) <= 0:
            break
        for name, run in list(going.items()):
            try:
                seconds[name].append(setting.device.seconds(run))
            except Exception as error:
                outcome.failures[name] = reason(error)
                setting.device.recover(f"{name}: {reason(error)}")
                del going[name]
    return {name: seconds[name] for name in going}


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
