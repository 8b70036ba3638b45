"""Figures of a machine that plans are computed of by hand."""

from typing import Any

from benchmarks.scale import figures

DATA: dict[str, Any] = {
    "cpu": "a processor",
    "threads": 2,
    "dim": 256,
    "formats": {
        name: {"bytes_per_s": 260e8, "products_per_s": {"64": 100e9, "1024": 200e9}}
        for name in ("e4m3", "e3m4", "e2m1")
    },
    "disk_bytes_per_s": 1e9,
    "round_s": {"2": {"1": 1e-4, "64": 1e-3}, "4": {"1": 9e-4, "64": 9e-3}},
    "round_cpu_s": {"2": {"1": 1e-5, "64": 1e-4}, "4": {"1": 21e-5, "64": 21e-4}},
}
FIGURES = figures.of(DATA, "figures")
