"""What is here: the version, the formats, and what runs on which device."""

from __future__ import annotations

from importlib.metadata import version

import torch

from minifloat import _C
from minifloat.backends import BACKENDS, serving
from minifloat.formats import FORMATS


def described() -> str:
    """Return the version, the formats, and what runs on which device, in lines."""
    lines = [f"minifloat {version('minifloat')}, torch {torch.__version__}", ""]
    lines.append(
        f"{'format':8}{'bits':>5}{'largest':>9}{'smallest':>12}  {'specials':9}{'lane':6} torch"
    )
    for f in FORMATS:
        dtype = str(f.torch_dtype or "-").removeprefix("torch.")
        lines.append(
            f"{f.name:8}{f.bits:5}{f.max:9g}{f.smallest_subnormal:12g}  "
            f"{f.specials:9}{f.lane:6} {dtype}"
        )
    isas = ", ".join(_C.available_isas())
    lines += ["", f"cpu: {_C.isa()} (this machine has {isas}; MINIFLOAT_ISA chooses)"]
    lines.append(f"threads: {torch.get_num_threads()} (torch.set_num_threads changes it)")
    # Why its own backend does not serve a device belongs to the device.
    absent = {one.module: one.missing for one in BACKENDS if one.missing and not one.available}
    for device in dict.fromkeys(one.key.lower() for one in BACKENDS if one.lazy):
        why = f" ({absent.pop(device)})" if device in absent else ""
        lines.append(f"{device}: {serving(device.upper()).module}{why}")
    lines += [f"{module}: not used, for {why}" for module, why in absent.items()]
    lines.append(f"other devices: {BACKENDS[-1].module} (plain torch)")
    return "\n".join(lines)
