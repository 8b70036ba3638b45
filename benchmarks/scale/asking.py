"""The plan that options of the command ask for."""

from __future__ import annotations

from argparse import Namespace

import minifloat as mf
from benchmarks.scale import figures, planned
from benchmarks.scale.plan import Database, Gpu, Kind


def asked_of(options: Namespace) -> planned.Asked:
    """Return the plan that options ask for; ValueError for those that go not together."""
    if options.reserve >= options.memory:
        raise ValueError(
            f"--reserve must be less than --memory {options.memory:g}; got {options.reserve:g}"
        )
    given = options.gpu_bandwidth, options.gpu_tops
    if (given[0] is None) != (given[1] is None):
        raise ValueError("--gpu-bandwidth and --gpu-tops must both be given, or neither")
    found = figures.load(options.figures or figures.RECORD)
    formats = options.formats or [mf.formats.as_format(name) for name in found.formats]
    for format in formats:
        if str(format) not in found.formats:
            raise ValueError(
                f"--formats must be of those measured, {', '.join(found.formats)}; got {format}"
            )
    o = options
    disk = o.disk or found.disk_bytes_per_s / 1e9
    return planned.Asked(
        found,
        Database(o.rows, o.dim, o.k, o.frame, o.errors),
        formats,
        Kind(o.memory, o.reserve, o.cores, o.memory_bandwidth, disk, o.network, o.latency),
        o.target / 1e3,
        o.disk_machines,
        None if given[0] is None else Gpu(o.gpu_memory, *given),
    )
