"""`python -m minifloat`: what is here."""

import torch

import minifloat
from minifloat import _C
from minifloat.backends import BACKENDS, HAS_CUDA_KERNELS, HAS_TRITON, OLDEST_TRITON, TRITON_VERSION


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
    built = "" if HAS_CUDA_KERNELS else " (minifloat._cuda is not built: that needs nvcc)"
    print(f"cuda: {BACKENDS['CUDA']}{built}")
    if TRITON_VERSION is not None and not HAS_TRITON:
        found, oldest = (".".join(map(str, v)) for v in (TRITON_VERSION, OLDEST_TRITON))
        print(f"triton: not used, for {found} is older than {oldest}, which torch 2.10 came with")
    print("other devices: eager (plain torch)")


if __name__ == "__main__":
    main()
