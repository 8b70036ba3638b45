"""Encoding and decoding of many values, held against a copy that moves as many bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.codec import CODES, DIM, CodecJob, ends_of, make_input, shape_of
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import Contest, ContestCase, Entrant, entrants, limit
from benchmarks.harness.rival import rivals_of
from benchmarks.harness.timing import Run
from minifloat.backends import implementation, serving

# What each operation reads.
OPS = {"encode_pack": "float32", "decode": CODES}
# Rows at either end of an answer that are compared with the CPU's.
_END_ROWS = 4096


@dataclass(frozen=True)
class DeviceCodecCase(ContestCase):
    """Values of float32 to packed rows, or codes to values, by every backend's operator."""

    op: str
    format: mf.Format
    values: int
    source: str = ""

    @property
    def inputs(self) -> dict[str, int | str]:
        """The format and the values, and what is read where that is not as ever."""
        more: dict[str, int | str] = {"source": self.source} if self.source else {}
        return {"format": self.format.name, "values": self.values, **more}

    def contest(self, setting: Setting) -> Contest:
        """Return every backend, a copy, and casts."""
        job = self.job(setting.device.generator(0))
        moved = job.x.nbytes + self.values // DIM * self.row_bytes
        # It is read and written, so half of what is moved.
        source = torch.ones(moved // 2, dtype=torch.uint8, device=setting.device.torch)
        ours = [
            Entrant(
                f"minifloat {backend}",
                partial(self.run, backend, job.x),
                job.check,
                bytes=moved,
                facts={"backend": backend, "format": self.format.name},
                limits={"copy": ("copy",)},
            )
            for backend in setting.backends
        ]
        rivals = entrants(rivals_of(setting.rivals, self.op, "cuda"), job, bytes=moved)
        return Contest(job, ours, [limit("copy", lambda: source.clone, bytes=moved)], rivals)

    @property
    def row_bytes(self) -> int:
        """Bytes of an answer's row."""
        return self.format.row_bytes(DIM) if self.op == "encode_pack" else 4 * DIM

    def job(self, generator: torch.Generator) -> CodecJob:
        """Return what is read, and the CPU's answer to its first and its last rows."""
        shape = shape_of(self.values)
        x = make_input(self.source or OPS[self.op], self.format, shape, generator)
        expected = self.run(serving("CPU").module, ends_of(x, _END_ROWS).cpu())()
        assert isinstance(expected, Tensor)
        return CodecJob(self.format, shape, x, expected, ends=_END_ROWS)

    def run(self, backend: str, x: Tensor) -> Run:
        """Return a backend's operator on an input."""
        saturate = (True,) if self.op == "encode_pack" else ()
        return partial(implementation(backend, self.op), x, self.format.name, *saturate)
