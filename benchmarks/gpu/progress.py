"""What is told while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def told(record: Mapping[str, Any]) -> list[str]:
    """Return a line for each of ours, and for each entrant that was left out."""
    lines = [_line(ours) for ours in record.get("minifloat", ())]
    lines += [
        f"{backend}: " + ", ".join(f"{name} {_equal(same)}" for name, same in formats.items())
        for backend, formats in record.get("equal", {}).items()
    ]
    lines += [
        f"{what}: {few:,} bytes, {many:,} for more rows"
        for what, (few, many) in record.get("memory", {}).items()
    ]
    return lines + [f"{name} left out: {why}" for name, why in record["left_out"].items()]


def _equal(same: bool) -> str:
    return "equal" if same else "DIFFERS"


def _line(ours: dict[str, Any]) -> str:
    who = f"{ours['format']} {ours['backend']}"
    who += f" without {ours['without']}" if "without" in ours else ""
    parts = [f"{who}: {ours['median_s'] * 1e3:.3f} ms"]
    fast = f"{ours['gb_per_s']:,.0f} GB/s" if "gb_per_s" in ours else f"{ours['tops']:.3g} TOPS"
    parts.append(fast)
    for name, share in ours.items():
        if name.startswith("share_of_"):
            parts.append(f"{share:.0%} of {name.removeprefix('share_of_')}")
    if "recall" in ours:
        parts.append(f"recall {ours['recall']:.3f}")
    ratios = [f"{name} {ratio:.2f}" for name, ratio in ours["ratios"].items()]
    return ", ".join(parts) + (f"; times as fast as {', '.join(ratios)}" if ratios else "")
