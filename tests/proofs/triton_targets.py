"""Compiles every Triton kernel for GPUs that need not be here:

python -m tests.proofs.triton_targets 90

Several compute capabilities may be named, and `--kernels` gives a pattern of some kernels' names.
Exits with 1 where a kernel does not multiply on matrix units as meant, its loops lose more than 1 %
of their instructions to what does not fit into registers, it may add products of coordinates that
are not rounded, or make other elements of float queries than the nearest ones.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

import minifloat as mf
from benchmarks.gpu.code import machine_code
from minifloat.backends.triton.codec import (
    decode_kernel,
    encode_kernel,
    pack_kernel,
    unpack_kernel,
)
from minifloat.backends.triton.plan import WARPS, Plan, constants_of, facts_of
from minifloat.backends.triton.products import scores_kernel
from minifloat.backends.triton.rows import pair_scores_kernel, squares_kernel, to_lane_kernel
from minifloat.backends.triton.scoring import MOST_KEPT
from minifloat.backends.triton.search import search_kernel
from minifloat.formats import as_format

# What multiplies on the matrix units of each compute capability, for many queries where registers
# allow it, and for few.
MANY = {80: "mma.sync", 90: "wgmma.mma_async", 100: "tcgen05.mma"}
FEW = "mma.sync"

MATRIX = r"(?:wgmma\.mma_async|mma\.sync|tcgen05\.mma)[\w.:]*"
# What the assembler may join to one instruction, and what is one. Decoding has some of the latter.
MAY_FUSE = r"\b(?:mul|add|sub)\.f32(?:x2)?\s"
FUSED = r"\bfma\.rn\.f32"
# What is not the nearest number.
NOT_ROUNDED = r"\b(?:div|rcp|sqrt)\.(?!rn\.)"
SPILLS = ("STL", "LDL")
# ptxas gives registers away where so little buys another block on each multiprocessor.
MOST_SPILLS = 0.01

# Types of arguments; what is not named is an int32.
POINTERS = {
    "factors": "*fp32",
    "packed": "*u8",
    "b": "*u8",
    "norms": "*fp32",
    **{f"{side}_coordinates": "*fp32" for side in ("query", "row", "a", "b")},
    "mask": "*i1",
    "pairs": "*i64",
    "last": "*i64",
    "keys": "*i64",
    "scores": "*fp32",
    "rows": "*i64",
    "codes": "*u8",
}

# Sizes that are multiples of 16 as a rule, which tells the compiler of whole words.
ALIGNED = ("dim", "row_bytes", "groups", "plane", "slice_rows")

# Of how many axes the frames of rows are; of the most, and of none, which is no frame.
AXES = (0, 16)
COORDINATES = "_coordinates"

# A format's name, a compute capability, a kernel's name.
Case = tuple[str, int, str]
Kernel = tuple[str, Any, dict[str, str], dict[str, Any]]


def kernels(f: mf.Format, capability: int) -> Iterator[Kernel]:
    """Yield every kernel of a format, in every way that it is used: name, types, constants."""
    facts = {"FORMAT": facts_of(f)}
    block = {"BLOCK": 1024}
    constants: dict[str, Any]
    for values, saturate in product(("fp16", "bf16", "fp32", "fp64"), (True, False)):
        way = f"{values} {saturate}"
        types = {"values": f"*{values}"}
        yield f"encode {way}", encode_kernel, types, facts | block | {"SATURATE": saturate}
        types = {"source": f"*{values}", "packed": "*i32" if f.bits == 4 else "*i16"}
        constants = {"SATURATE": saturate, "ENCODES": True, "BLOCK": 128, "ONE_ROW": True}
        constants["PIECE_BITS"] = 32 if f.bits == 4 else 16
        if f.bits < 8:
            yield f"encode_pack {way}", pack_kernel, types, facts | constants
    yield "decode", decode_kernel, {"values": "*fp32"}, facts | block
    yield "unpack", unpack_kernel, {}, {"BITS": f.bits, "ONE_ROW": False} | block
    element = "*fp32" if f.lane == "float" else "*i16"
    for values in ("fp16", "bf16", "fp32", "fp64"):
        types = {"values": f"*{values}", "elements": element, "limit": "fp32"}
        constants = {"COLUMNS": 256, "enable_fp_fusion": False}
        yield f"to_lane {values}", to_lane_kernel, types, constants
    tile = {"ROWS": 16, "COLUMNS": 64}
    yield "squares", squares_kernel, {"out": "*fp64"}, facts | tile
    for axes, packed in product(AXES, (True, False)):
        for name, kernel, types, constants in kernels_of_products(f, capability, packed):
            none = [] if axes else [name for name in kernel.arg_names if COORDINATES in name]
            constants |= constants_of(axes) | dict.fromkeys(none)
            yield name + (f" in {axes} axes" if axes else ""), kernel, types, constants


def kernels_of_products(f: mf.Format, capability: int, packed: bool) -> Iterator[Kernel]:
    """Yield the kernels that multiply a format's rows by packed ones, or by those in their lane."""
    name = "codes" if packed else "floats"
    element = "*fp32" if f.lane == "float" else "*i16"
    types = {"a": "*u8" if packed else element, "out": "*fp32"}
    constants: dict[str, Any] = {"A_PACKED": packed, "PAIRS": 16, "COLUMNS": 64}
    yield f"pair_scores {name}", pair_scores_kernel, types, {"FORMAT": facts_of(f)} | constants
    plan = Plan(f, 512, packed=packed, capability=capability)
    types = {"queries": "*fp16" if f.lane == "float" else "*i8", "out": "*i64"}
    for queries in (1, 128):
        constants = {"WAY": plan.way(queries)}
        matrix = types | {"out": "*fp32"}
        yield f"scores {name} {queries}", scores_kernel, matrix, constants
        for k in (10, 100, MOST_KEPT):
            constants = {"WAY": plan.way(queries, k)}
            # What goes before, only rounds of the most have.
            if k < MOST_KEPT:
                constants["last"] = None
            yield f"search {name} {queries} {k}", search_kernel, types, constants


def compiled(
    kernel: Any, types: dict[str, str], constants: dict[str, Any], capability: int
) -> tuple[str, float]:
    """Return a kernel in the assembler's language, and how much its loops spill."""
    options = {"num_warps": 4 if "BLOCK" in constants else WARPS}
    options |= {name: value for name, value in constants.items() if name not in kernel.arg_names}
    constants = {name: value for name, value in constants.items() if name in kernel.arg_names}
    types = POINTERS | types
    signature = {
        name: "constexpr" if name in constants else types.get(name, "i32")
        for name in kernel.arg_names
    }
    aligned = {
        (i,): [["tt.divisibility", 16]]
        for i, name in enumerate(kernel.arg_names)
        if name in ALIGNED or signature[name].startswith("*")
    }
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=aligned)
    target = GPUTarget("cuda", capability, 32)
    machine = triton.compile(source, target=target, options=options).asm
    return machine["ptx"], _spills(machine["cubin"])


def _spills(cubin: bytes) -> float:
    """Return what share of loops is instructions that store or load what did not fit."""
    with NamedTemporaryFile("wb", suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        (kernel,) = machine_code.kernels(Path(file.name))
    inside = kernel.looping
    return sum(one.kind in SPILLS for one in inside) / max(1, len(inside))


def fault_of(case: Case) -> str | None:
    """Compile a kernel; return what is wrong with it."""
    format_name, capability, name = case
    f = as_format(format_name)
    found = next(kernel for kernel in kernels(f, capability) if kernel[0] == name)
    text, spills = compiled(*found[1:], capability)
    matrix = sorted(set(re.findall(MATRIX, text)))
    if spills > MOST_SPILLS:
        return f"{spills:.1%} of its loops' instructions spill"
    if bool(matrix) != name.startswith(("scores", "search")):
        return f"multiplies with {matrix}"
    if found[3].get("AXES"):
        fused = f"{MAY_FUSE}|{FUSED}" if f.lane == "float" else MAY_FUSE
        if (instruction := re.search(fused, text)) is not None:
            return f"adds products of coordinates with {instruction[0]}"
    other = f"{NOT_ROUNDED}|{MAY_FUSE}|{FUSED}"
    if name.startswith("to_lane") and (instruction := re.search(other, text)) is not None:
        return f"rounds other numbers with {instruction[0]}"
    operands = "f16" if f.lane == "float" else "[si]8"
    for instruction in matrix:
        if not instruction.startswith((MANY[capability], FEW)):
            return f"multiplies with {instruction}"
        if not re.search(operands, instruction):
            return f"multiplies {instruction}"
    # Two planes of codes of 6 bits leave no registers for many queries.
    in_planes = f.bits == 6 and f.lane == "int16"
    by_group = not in_planes and not Plan(f, 512, packed=True, capability=capability).by_warp
    if (
        re.match("search codes 128 10( in|$)", name)
        and by_group
        and not matrix[0].startswith(MANY[capability])
    ):
        return f"multiplies many queries with {matrix}"
    return None


def main(arguments: list[str]) -> int:
    """Return the exit status: 1 if anything is wrong with a kernel."""
    options = argparse.ArgumentParser(description="compile Triton kernels")
    options.add_argument("capabilities", nargs="+", type=int, choices=MANY, metavar="CAPABILITY")
    options.add_argument("--kernels", default="", metavar="PATTERN")
    given = options.parse_args(arguments)
    cases = [
        (f.name, capability, kernel[0])
        for capability in given.capabilities
        for f in mf.FORMATS
        for kernel in kernels(f, capability)
        if re.search(given.kernels, f"{f.name} {kernel[0]}")
    ]
    workers = len(os.sched_getaffinity(0))
    failed = 0
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for case, fault in zip(cases, pool.map(fault_of, cases), strict=True):
            failed += fault is not None
            if fault:
                print(*case, fault, flush=True)
    print(f"{len(cases)} kernels compiled with Triton {triton.__version__}, {failed} not as meant")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
