"""Where instructions are issued to, and how long that keeps a scheduler busy.

A scheduler issues an instruction of a warp, 32 lanes, in each clock; most pipes take fewer lanes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.gpu.code.machine_code import Instruction

# Lanes of each pipe that a scheduler of compute capability 9.0 fills in a clock: the throughputs
# of NVIDIA's programming guide over the four schedulers of a multiprocessor. What a pipe of copies
# or of the matrix units takes depends on bytes and shapes, and is not counted here.
LANES = {"alu": 16, "imad": 16, "fma": 32, "conversion": 4, "double": 16}

_PIPES = {
    "alu": "PRMT LOP3 LOP SHF SHL SHR IADD3 IADD ISETP LEA SEL ISET IMNMX VIADD VIADDMNMX VIMNMX "
    "VIMNMX3 FMNMX FSETP FSEL FSET PLOP3 BMSK SGXT IABS FCHK F2FP "
    "I2FP P2R R2P VABSDIFF CSET MOV HSETP2 HMNMX2",
    "imad": "IMAD IMUL IDP",
    "fma": "FFMA FADD FMUL HFMA2 HADD2 HMUL2 FFMA2 FADD2 FMUL2 FSWZADD",
    "conversion": "F2F F2I I2F FRND MUFU POPC FLO BREV",
    "double": "DADD DMUL DFMA DSETP",
    "matrix": "IMMA HMMA IGMMA HGMMA QGMMA BMMA DMMA",
    "load": "LDG LD LDL LDGSTS UBLKCP UTMALDG LDGDEPBAR",
    "store": "STG ST STL RED REDG ATOM ATOMG CCTL",
    "shared": "LDS STS LDSM STSM ATOMS SHFL VOTE MATCH REDUX SYNCS",
    "barrier": "BAR WARPSYNC DEPBAR WARPGROUP MEMBAR FENCE ERRBAR",
}
_PIPE_OF = {kind: pipe for pipe, kinds in _PIPES.items() for kind in kinds.split()}
# Those of the scheduler's own unit, for all lanes at once; branches; what waits for constants.
_OTHER = "other"


@dataclass(frozen=True)
class Count:
    """How many instructions there are, and how many of each pipe."""

    issued: int
    pipes: dict[str, int]

    @property
    def clocks(self) -> float:
        """Clocks of a scheduler for a warp's instructions, if only the busiest pipe had to wait."""
        busy = [self.pipes.get(pipe, 0) * 32 / lanes for pipe, lanes in LANES.items()]
        return max(self.issued, *busy)

    def of(self, parts: float) -> dict[str, float]:
        """Return the figures of a part of the work."""
        figures = {"issued": self.issued, "half_rate": self.pipes.get("alu", 0)}
        return {name: value / parts for name, value in [*figures.items(), ("clocks", self.clocks)]}


def counted(instructions: Iterable[Instruction]) -> Count:
    """Return the count of some instructions."""
    pipes: dict[str, int] = {}
    issued = 0
    for one in instructions:
        issued += 1
        pipe = _PIPE_OF.get(one.kind, _OTHER)
        pipes[pipe] = pipes.get(pipe, 0) + 1
    return Count(issued, dict(sorted(pipes.items())))
