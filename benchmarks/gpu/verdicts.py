"""What a run has shown of the kernels' ways: old times over new ones, and what to do with each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

STEP = "ways"

# Less is no difference that would be worth a choice.
_LEAST = 1.02


@dataclass(frozen=True)
class Shown:
    """One format in one case: quartiles of the old way's times and of the new way's."""

    case: str
    format: str
    new: tuple[float, float, float]
    old: tuple[float, float, float]

    @property
    def ratio(self) -> float:
        """How many times as fast the new way is."""
        return self.old[1] / self.new[1]

    @property
    def clear(self) -> int:
        """1 where the new way is faster, -1 where the old one is; 0 where quartiles overlap."""
        faster = self.new[2] < self.old[0] and self.ratio > _LEAST
        slower = self.old[2] < self.new[0] and 1 / self.ratio > _LEAST
        return faster - slower


def told(steps: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of all ways that a report has."""
    for way, shown in by_way(steps.get(STEP, {}).get("items", {})).items():
        yield f"{way}: {advice(shown)}"
        for one in sorted(shown, key=lambda one: one.ratio):
            word = {1: "", 0: ", no difference", -1: ", the OLD way is faster"}[one.clear]
            yield f"    {one.ratio:.2f} {one.format}: {one.case}{word}"


def by_way(items: Mapping[str, Any]) -> dict[str, list[Shown]]:
    """Return what cases have shown of each way."""
    found: dict[str, list[Shown]] = {}
    for case, record in items.items():
        ours = record.get("minifloat", ())
        new = {one["format"]: _times(one) for one in ours if "without" not in one}
        for one in ours:
            if "without" in one and one["format"] in new:
                shown = Shown(case, one["format"], new[one["format"]], _times(one))
                found.setdefault(one["without"], []).append(shown)
    return found


def advice(shown: list[Shown]) -> str:
    """Return what to do with a way."""
    faster = sum(one.clear > 0 for one in shown)
    slower = sum(one.clear < 0 for one in shown)
    if not faster and not slower:
        return "no difference beyond the quartiles: keep what is simpler"
    if not slower:
        return f"keep the new way, faster in {faster} of {len(shown)}"
    if not faster:
        return f"take the old way back, faster in {slower} of {len(shown)}"
    return f"let the host choose: new faster in {faster}, old in {slower} of {len(shown)}"


def _times(ours: Mapping[str, Any]) -> tuple[float, float, float]:
    low, high = ours["quartiles_s"]
    return low, ours["median_s"], high
