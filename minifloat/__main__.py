"""`python -m minifloat`: what is here."""

import torch

import minifloat
from minifloat import _C
from minifloat.backends import BACKENDS, serving


def main() -> None:
    """Print the version, the formats, and what runs on which device."""
    print(f"minifloat {minifloat.__version__}, torch {torch.__version__}")
    print(
        f"\n{'format':8}{'bits':>5}{'largest':>9}{'smallest':>12}  {'specials':9}{'lane':6} torch"
    )
    for f in minifloat.FORMATS:
        dtype = str(f.torch_dtype or "-").removeprefix("torch.")
        print(
            f"{f.name:8}{f.bits:5}{f.max:9g}{f.smallest_subnormal:12g}  "
            f"{f.specials:9}{f.lane:6} {dtype}"
        )
    isas = ", ".join(_C.available_isas())
    print(f"\ncpu: {_C.isa()} (this machine has {isas}; MINIFLOAT_ISA chooses)")
    print(f"threads: {torch.get_num_threads()} (torch.set_num_threads changes it)")
    # Why its own backend does not serve a device belongs to the device.
    absent = {one.module: one.missing for one in BACKENDS if one.missing and not one.available}
    for device in dict.fromkeys(one.key.lower() for one in BACKENDS if one.lazy):
        why = f" ({absent.pop(device)})" if device in absent else ""
        print(f"{device}: {serving(device.upper()).module}{why}")
    for module, why in absent.items():
        print(f"{module}: not used, for {why}")
    print(f"other devices: {BACKENDS[-1].module} (plain torch)")


if __name__ == "__main__":
    main()
