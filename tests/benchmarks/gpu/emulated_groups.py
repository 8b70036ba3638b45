"""The cases of a run, whose CUDA kernels are those of the emulator."""

from benchmarks.gpu.groups import GROUPS as GROUPS
from tests.support import emulated

emulated.install()
