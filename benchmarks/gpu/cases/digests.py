"""Codes of all float32 bit patterns: those of the CPU, and by their digest the proven ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.harness.case import Case, Outcome, Setting
from minifloat.backends import implementation, serving
from minifloat.files.headers import once_each

# What the exhaustive proof has found for every encoder so far.
RECORDED = Path("tests/proofs/digests.json")
PATTERNS = 2**32
_CHUNK = 2**27


@dataclass(frozen=True)
class DigestCase(Case):
    """A format's codes of so many bit patterns from zero on, saturating first and then not."""

    format: mf.Format
    patterns: int

    op = "codes of all inputs"

    @property
    def inputs(self) -> dict[str, int | str]:
        """The format and how many bit patterns."""
        return {"format": self.format.name, "patterns": self.patterns}

    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return the digest of all codes by backend, and what differs from the CPU's codes."""
        outcome = Outcome({"digests": {}})
        for backend in setting.backends:
            digest = hashlib.sha256()
            for _, _, codes in self._codes(backend, setting.device.torch):
                digest.update(codes.numpy().data)
            outcome.found["digests"][backend] = digest.hexdigest()
            if self.patterns == PATTERNS and digest.hexdigest() == self._recorded():
                continue
            wrong = self._compare(backend, setting.device.torch)
            if wrong:
                outcome.failures[backend] = wrong
            elif self.patterns == PATTERNS:
                outcome.failures[backend] = f"the digest is not the one in {RECORDED}"
        return outcome

    def _codes(self, backend: str, device: torch.device) -> Iterator[tuple[bool, Tensor, Tensor]]:
        """Yield all bit patterns in parts, on the device, and their codes, in main memory."""
        encode = implementation(backend, "encode")
        for saturate in (True, False):
            for first in range(0, self.patterns, _CHUNK):
                last = min(first + _CHUNK, self.patterns)
                bits = torch.arange(first, last, device=device).to(torch.int32)
                codes = encode(bits.view(torch.float32), self.format.name, saturate)
                yield saturate, bits, codes.cpu()

    def _compare(self, backend: str, device: torch.device) -> str:
        """Return how many codes are not the CPU's, and the first of them; nothing where all are."""
        right = implementation(serving("CPU").module, "encode")
        count, first = 0, ""
        for saturate, bits, codes in self._codes(backend, device):
            expected = right(bits.cpu().view(torch.float32), self.format.name, saturate)
            places = (codes != expected).nonzero().flatten()
            count += len(places)
            if len(places) and not first:
                at = int(places[0])
                first = f"0x{int(bits[at]) % PATTERNS:08x}, saturate={saturate}: "
                first += f"0x{int(codes[at]):02x} instead of 0x{int(expected[at]):02x}"
        return f"{count} codes differ from the CPU's, {first}" if count else ""

    def _recorded(self) -> str | None:
        recorded = json.loads(RECORDED.read_text(), object_pairs_hook=once_each)
        digest: str | None = recorded.get(self.format.name)
        return digest
