"""Cases that fail in the ways in which a GPU's do, on a device that can die."""

import os
import time
from collections.abc import Callable

import torch

from benchmarks.gpu.devices import DEVICES
from benchmarks.harness.case import Case, Outcome, Setting
from benchmarks.harness.device import DeadDeviceError, Processor

alive = True


class Mortal(Processor):
    """A processor that answers nothing any more after a bad address."""

    def recover(self, since: str) -> None:
        if not alive:
            raise DeadDeviceError(since or "illegal memory access")


DEVICES["cpu"] = Mortal


def nothing() -> None:
    pass


def bad_address() -> None:
    global alive
    alive = False
    raise RuntimeError("an illegal memory access was encountered")


def bad_address_unseen() -> None:
    global alive
    alive = False


def out_of_memory() -> None:
    raise torch.OutOfMemoryError("too much\n of it")


class Fault(Case):
    def __init__(self, name: str, act: Callable[[], object]) -> None:
        self.op, self._act = name, act

    @property
    def inputs(self) -> dict[str, int | str]:
        return {}

    def measure(self, setting: Setting, until: float) -> Outcome:
        assert alive
        self._act()
        return Outcome({"measured": True})


def faults(scale: int) -> list[Case]:
    return [
        Fault("first", nothing),
        Fault("out of memory", out_of_memory),
        Fault("bad address", bad_address),
        Fault("after a bad address", nothing),
        Fault("hangs", lambda: time.sleep(3600)),
        Fault("dies", os.abort),
        Fault("bad address unseen", bad_address_unseen),
        Fault("last", nothing),
    ]


def endless(scale: int) -> list[Case]:
    return [Fault("first", nothing), Fault("hangs", lambda: time.sleep(3600))]


GROUPS = {
    "faults": faults,
    "endless": endless,
    "launch": lambda scale: [Fault("launches", nothing)],
    "equality": lambda scale: [Fault("equal", out_of_memory)],
    "digests": lambda scale: [],
    "bars": lambda scale: [Fault("one", nothing), Fault("two", nothing)],
}
