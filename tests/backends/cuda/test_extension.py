"""What nvcc has made of the kernels for GPUs, and the names that Python has of them."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import minifloat as mf
from benchmarks.gpu.code import machine_code
from tests.backends.cuda.asked import needs_emulator
from tests.support import emulated

PACKAGE = Path(mf.__file__).parent

# What 128 threads of a kernel of products may take, for so many of its blocks to run at once.
REGISTERS = {"one tile": 65536 // 128 // 4, "many tiles": 255}
WARPGROUP_REGISTERS = 65536 // 256 - 1
ARCHITECTURES = ("sm_80", "sm_90a", "sm_100a")
# The one whose warpgroups multiply.
WARPGROUPS = "sm_90a"


@needs_emulator
def test_the_stub_names_what_the_cuda_extension_has() -> None:
    emulated.install()
    from minifloat import _cuda

    stub = ast.parse((PACKAGE / "_cuda.pyi").read_text())
    names = {n.name for n in stub.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    names |= {ast.unparse(n.target) for n in stub.body if isinstance(n, ast.AnnAssign)}
    assert names == {name for name in dir(_cuda) if not name.startswith("__")}


@cache
def disassembled(*options: str) -> str:
    """Return what cuobjdump prints of what nvcc has built, or skip."""
    try:
        return machine_code.disassembled(machine_code.extension(), *options)
    except machine_code.MissingError as error:
        pytest.skip(str(error))


def product_kernel(name: str) -> tuple[mf.Format, int] | None:
    """Return the format and the tiles of a kernel of products."""
    streamed = re.search(r"streamed_(?:search|above)_kernel<(\d+),", name)
    if streamed:
        return mf.FORMATS[int(streamed[1])], 1
    found = re.search(r"(?:scores|search|above)_kernel<(\d+), (?:true|false), (\d+),", name)
    return (mf.FORMATS[int(found[1])], int(found[2])) if found else None


def warpgroup_kernel(name: str) -> tuple[mf.Format, int] | None:
    """Return the format and the tiles of a kernel of products by warpgroups."""
    kernel = r"warpgroup_(?:scores|search|above)_kernel"
    found = re.search(kernel + r"<.*WarpgroupSums<(\d+), \w+, (\d+)>", name)
    return (mf.FORMATS[int(found[1])], int(found[2])) if found else None


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_kernel_stays_in_registers(architecture: str) -> None:
    parts = disassembled("-res-usage").split("arch = ")
    of_this = "".join(part for part in parts if part.startswith(architecture + "\n"))
    if not of_this:
        pytest.skip(f"minifloat._cuda is not built for {architecture}")
    found = re.findall(r"Function (.+):\n\s*REG:(\d+) STACK:(\d+) .*LOCAL:(\d+)", of_this)
    assert {(stack, local) for _, _, stack, local in found} == {("0", "0")}
    products = [(product_kernel(name), int(registers)) for name, registers, *_ in found]
    seen = {product[0] for product, _ in products if product}
    assert seen == set(mf.FORMATS)
    for product, registers in products:
        if product:
            assert registers <= REGISTERS["one tile" if product[1] == 1 else "many tiles"]
    for name, registers, *_ in found:
        assert not warpgroup_kernel(name) or int(registers) <= WARPGROUP_REGISTERS


@pytest.mark.long
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_products_are_made_by_matrix_units(architecture: str) -> None:
    try:
        kernels = machine_code.kernels(machine_code.extension(), architecture)
    except machine_code.MissingError as error:
        pytest.skip(str(error))
    if not kernels:
        pytest.skip(f"minifloat._cuda is not built for {architecture}")
    for kernel in kernels:
        name, code = kernel.name, kernel.instructions
        product = product_kernel(name)
        units = {one.kind for one in code if one.kind.endswith("MMA")}
        by_warpgroup = warpgroup_kernel(name)
        if by_warpgroup:
            there = architecture == WARPGROUPS
            format, tiles = by_warpgroup
            unit = "HGMMA" if format.lane == "float" else "IGMMA"
            assert units == ({unit} if there else set()), name
            # Queries come by bulk copies, and so do rows where queries are many, else by lane. One
            # step's products go on during the next.
            assert any(one.kind == "UBLKCP" for one in code) == there, name
            assert any(one.kind == "LDGSTS" for one in code) == (there and tiles <= 10), name
            waits = {one.operands for one in code if one.name == "WARPGROUP.DEPBAR.LE"}
            assert ("gsb0, 0x1" in waits) == there, name
            continue
        wanted = {"HMMA"} if product and product[0].lane == "float" else {"IMMA"}
        assert units == (wanted if product else set()), name
