"""Compiles every Triton kernel for a GPU that need not be here: python tests/triton_targets.py 90

Prints a JSON line for each: what it is, its matrix instructions, and the bytes that did not fit
into registers.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from tempfile import NamedTemporaryFile
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.compiler import get_ptxas, sm_arch_from_capability
from triton.compiler import ASTSource

import minifloat as mf
from minifloat.backends import triton as backend
from minifloat.backends import triton_codec as codec
from minifloat.backends import triton_products as products
from minifloat.backends import triton_rows as single
from minifloat.backends import triton_search as search
from minifloat.backends.triton_plan import WARPS, Plan, facts_of, lane_of

MATRIX = r"(?:wgmma\.mma_async|mma\.sync|tcgen05\.mma)[\w.:]*"
SPILLS = r"(\d+) bytes spill stores, (\d+) bytes spill loads"

# Types of arguments; what is not named is an int32.
POINTERS = {
    "factors": "*fp32",
    "packed": "*u8",
    "b": "*u8",
    "norms": "*fp32",
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

Kernel = tuple[str, Any, dict[str, str], dict[str, Any]]


def kernels(f: mf.Format, capability: int) -> Iterator[Kernel]:
    """Yield every kernel of a format, in every way that it is used: name, types, constants."""
    facts = facts_of(f)
    block = {"BLOCK": 1024}
    for values, saturate in product(("fp16", "bf16", "fp32", "fp64"), (True, False)):
        way = f"{values} {saturate}"
        types = {"values": f"*{values}"}
        yield f"encode {way}", codec.encode_kernel, types, facts | block | {"SATURATE": saturate}
        types = {"source": f"*{values}", "packed": "*i32" if f.bits == 4 else "*i16"}
        constants = {"SATURATE": saturate, "ENCODES": True, "BLOCK": 128, "ONE_ROW": True}
        constants["PIECE_BITS"] = 32 if f.bits == 4 else 16
        if f.bits < 8:
            yield f"encode_pack {way}", codec.pack_kernel, types, facts | constants
    yield "decode", codec.decode_kernel, {"values": "*fp32"}, facts | block
    yield "unpack", codec.unpack_kernel, {}, {"BITS": f.bits, "ONE_ROW": False} | block
    lane, tile = lane_of(f), {"ROWS": 16, "COLUMNS": 64}
    yield "squares", single.squares_kernel, {"out": "*fp64"}, lane | tile
    element = "*fp32" if f.lane == "float" else "*i16"
    for packed in (True, False):
        name = "codes" if packed else "floats"
        types = {"a": "*u8" if packed else element, "out": "*fp32"}
        constants = {"A_PACKED": packed, "PAIRS": 16, "COLUMNS": 64}
        yield f"pair_scores {name}", single.pair_scores_kernel, types, lane | constants
        plan = Plan(f, 512, packed=packed, capability=capability)
        types = {"queries": "*fp16" if f.lane == "float" else "*i8", "out": "*i64"}
        for queries in (1, 128):
            constants = plan.constants(queries)
            matrix = types | {"out": "*fp32"}
            yield f"scores {name} {queries}", products.scores_kernel, matrix, constants
            for k in (10, 100, backend.MOST_KEPT):
                constants = plan.constants(queries, k)
                # What goes before, only rounds of the most have.
                constants |= {"HAS_MASK": True, "HAS_LAST": k == backend.MOST_KEPT}
                yield f"search {name} {queries} {k}", search.search_kernel, types, constants


def compiled(
    kernel: Any, types: dict[str, str], constants: dict[str, Any], capability: int
) -> tuple[list[str], int]:
    """Return the matrix instructions of a kernel, and the bytes that it spills."""
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
    warps = 4 if "BLOCK" in constants else WARPS
    target = GPUTarget("cuda", capability, 32)
    ptx = triton.compile(source, target=target, options={"num_warps": warps}).asm["ptx"]
    with NamedTemporaryFile("w", suffix=".ptx") as file:
        file.write(ptx)
        file.flush()
        architecture = f"-arch={sm_arch_from_capability(capability)}"
        command = [get_ptxas(capability).path, "-v", architecture, file.name, "-o", "/dev/null"]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    spills = re.search(SPILLS, told)
    assert spills, told
    return sorted(set(re.findall(MATRIX, ptx))), sum(map(int, spills.groups()))


if __name__ == "__main__":
    for _format in mf.FORMATS:
        for _name, _kernel, _types, _constants in kernels(_format, int(sys.argv[1])):
            _matrix, _spilled = compiled(_kernel, _types, _constants, int(sys.argv[1]))
            _line = {"format": _format.name, "kernel": _name, "matrix": _matrix, "spills": _spilled}
            print(json.dumps(_line), flush=True)
