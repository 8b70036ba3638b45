"""Encoding and decoding of many values, held against a copy that moves as many bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.cases import Rival, RivalError, Run
from benchmarks.elementwise import DIM
from benchmarks.gpu.cases import Contest, Entrant, Setting, limit
from benchmarks.gpu.contests import ContestCase
from minifloat.backends import implementation, serving

OPS = ("encode_pack", "decode")
# Rows at either end of an answer that are compared with the CPU's.
_END_ROWS = 4096


@dataclass(frozen=True)
class CodecCase(ContestCase):
    """Values of float32 to packed rows, or codes to values."""

    op: str
    format: mf.Format
    values: int
    rivals: tuple[Rival[CodecJob], ...]

    @property
    def inputs(self) -> dict[str, int | str]:
        """The format and the values."""
        return {"format": self.format.name, "values": self.values}

    def contest(self, setting: Setting) -> Contest:
        """Return every backend, a copy, and casts."""
        job = self.job(setting.device.generator(0))
        moved = job.x.nbytes + self.values // DIM * self.row_bytes
        # It is read and written, so half of what is moved.
        source = torch.ones(moved // 2, dtype=torch.uint8, device=setting.device.torch)
        ours = [
            Entrant(
                f"minifloat {backend}",
                partial(job.run, backend),
                job.check,
                bytes=moved,
                facts={"backend": backend, "format": self.format.name},
                limits={"copy": ("copy",)},
            )
            for backend in setting.backends
        ]
        rivals = [
            Entrant(rival.name, partial(rival.start, job), partial(rival.check, job), moved)
            for rival in self.rivals
        ]
        return Contest(job, ours, [limit("copy", lambda: source.clone, bytes=moved)], rivals)

    @property
    def row_bytes(self) -> int:
        """Bytes of an answer's row."""
        return self.format.row_bytes(DIM) if self.op == "encode_pack" else 4 * DIM

    def job(self, generator: torch.Generator) -> CodecJob:
        """Return normal values that fill the format's range, or their codes."""
        top, shape = self.format.max, (self.values // DIM, DIM)
        x = torch.randn(shape, generator=generator, device=generator.device)
        x.mul_(top / 4).clamp_(-top, top)
        if self.op == "decode":
            x = mf.encode(x, self.format)
        return CodecJob(self, x)


@dataclass(frozen=True)
class CodecJob:
    """The input of a case."""

    case: CodecCase
    x: Tensor

    def run(self, backend: str) -> Run:
        """Return a backend's operator on the input."""
        name = self.case.format.name
        arguments = (name, True) if self.case.op == "encode_pack" else (name,)
        return partial(implementation(backend, self.case.op), self.x, *arguments)

    def check(self, run: Run) -> None:
        """Raise RivalError if an answer's first or last rows are not the CPU's."""
        answer = run()
        assert isinstance(answer, Tensor)
        expected = CodecJob(self.case, _ends(self.x).cpu()).run(serving("CPU").module)()
        assert isinstance(expected, Tensor)
        found = _ends(answer).cpu().view(torch.uint8)
        expected = expected.view(torch.uint8)
        if found.shape != expected.shape:
            shapes = f"{tuple(found.shape)}, not {tuple(expected.shape)}"
            raise RivalError(f"rows of bytes of shape {shapes}")
        if wrong := int((found != expected).sum()):
            raise RivalError(f"{wrong} of {expected.numel()} bytes differ from the CPU's")


def _ends(rows: Tensor) -> Tensor:
    return torch.cat([rows[:_END_ROWS], rows[-_END_ROWS:]])


def _cast(job: CodecJob) -> Run | None:
    """Return torch's cast of the format that torch has too."""
    f = job.case.format
    if f.bits != 8 or f.torch_dtype is None:
        return None
    if job.case.op == "encode_pack":
        return partial(job.x.to, f.torch_dtype)
    return partial(job.x.view(f.torch_dtype).to, torch.float32)


CODEC_RIVALS = (Rival("torch", OPS, _cast, CodecJob.check),)
