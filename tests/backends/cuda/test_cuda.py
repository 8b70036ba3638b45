"""The CUDA kernels: as host code in the emulator, and what nvcc has made of them for GPUs."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.backends import addresses, implementation
from minifloat.backends.addresses import best_of
from minifloat.ops import OPERATORS, arguments
from minifloat.ops.products import AllScores, Best
from minifloat.ops.rows import Rows, Selection, Sides
from minifloat.scoring.queries import rows_of, sides_of
from tests.support import emulated, oracles

PACKAGE = Path(mf.__file__).parent

needs_emulator = pytest.mark.skipif(not emulated.IS_HERE, reason=emulated.NOT_HERE)

# What 128 threads of a kernel of products may take, for so many of its blocks to run at once.
REGISTERS = {"one tile": 65536 // 128 // 4, "many tiles": 255}
WARPGROUP_REGISTERS = 65536 // 256 - 1
ARCHITECTURES = ("sm_80", "sm_90a", "sm_100a")
# The one whose warpgroups multiply.
WARPGROUPS = "sm_90a"


@pytest.fixture
def cuda() -> Any:
    emulated.install()
    functions = {op.name: implementation("cuda", op.name) for op in OPERATORS}
    return SimpleNamespace(**functions)


@pytest.fixture
def any_order() -> Iterator[list[dict[str, bool]]]:
    yield [{"backward": b, "at_once": c} for b in (False, True) for c in (False, True)]
    emulated.set_order()


def random_rows(format: mf.Format, rows: int, dim: int, seed: int = 0) -> mf.PackedVectors:
    generator = torch.Generator().manual_seed(seed)
    return mf.quantize(torch.randn(rows, dim, generator=generator), format)


def scores(a: mf.PackedVectors, b: mf.PackedVectors) -> tuple[Any, ...]:
    """The arguments of an operator that scores rows."""
    return arguments(AllScores(sides_of(a, b)))


def search(a: mf.PackedVectors, b: mf.PackedVectors, k: int, *chosen: Any) -> tuple[Any, ...]:
    """The arguments of an operator that searches rows."""
    return arguments(Best(sides_of(a, b), Selection(*chosen), k))


def assert_found(cuda: Any, asked: tuple[Any, ...]) -> None:
    """A search finds what the plain one does."""
    expected = implementation("eager", "search")(*asked)
    for ours, theirs in zip(cuda.search(*asked), expected, strict=True):
        assert torch.equal(ours, theirs)


@needs_emulator
def test_instructions_convert_all_but_nan_as_the_codec_does(format: mf.Format) -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    starts, _ = oracles.boundaries(format, saturate=True)
    around = (starts[:, None] + np.array([-1, 0, 1], np.int64)).astype(np.uint32).ravel()
    edges = np.concatenate([around, around | np.uint32(2**31)]).view(np.float32)
    x = np.concatenate([halves, edges])
    found = emulated.convert(x, format)
    if found is None:
        pytest.skip("no GPU has an instruction for this format")
    expected = oracles.encode(x, format, saturate=True)
    np.testing.assert_array_equal(found[~np.isnan(x)], expected[~np.isnan(x)])
    assert np.any(found[np.isnan(x)] != expected[np.isnan(x)])


@pytest.mark.long
@needs_emulator
@pytest.mark.parametrize("queries", [3, 70])
def test_no_order_of_threads_and_copies_changes_an_answer(
    format: mf.Format, queries: int, cuda: Any, any_order: list[dict[str, bool]]
) -> None:
    for dim in (9, 257, 384):
        rows = random_rows(format, queries, dim, 1), random_rows(format, 700, dim, 2)
        found = []
        for order in any_order:
            emulated.set_order(**order)
            answers = [cuda.search(*search(*rows, k)) for k in (5, 300)]
            found.append([cuda.scores(*scores(*rows)), *answers[0], *answers[1]])
        for other in found[1:]:
            assert all(torch.equal(x, y) for x, y in zip(found[0], other, strict=True))


@needs_emulator
def test_more_rows_than_are_found_at_once_are_found_in_rounds(
    integer_format: mf.Format, cuda: Any
) -> None:
    rows = random_rows(integer_format, 2500, 9)
    assert_found(cuda, search(rows[:3], rows, 2400))


@needs_emulator
def test_a_database_of_more_rows_than_one_search_takes_is_searched_in_parts(
    integer_format: mf.Format, cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat.backends import cuda as backend

    rows = random_rows(integer_format, 500, 9)
    rows.reciprocal_norms[[3, 150, 480]] = torch.nan
    mask = torch.arange(500) % 3 > 0
    ranges = torch.tensor([[1, 2], [90, 310], [400, 500]])
    monkeypatch.setattr(backend, "_MOST_ROWS", 100)
    for chosen in ((None, None), (mask, None), (None, ranges), (mask, ranges)):
        k = int((~rows.reciprocal_norms.isnan()).sum()) // 4
        assert_found(cuda, search(rows[:3], rows, k, *chosen))
    asked = search(rows[:2], rows, 500)
    assert torch.equal(cuda.search(*asked)[1], implementation("eager", "search")(*asked)[1])


@needs_emulator
def test_rows_that_a_search_cannot_find_are_marked(format: mf.Format, cuda: Any) -> None:
    from minifloat import _cuda

    rows = random_rows(format, 100, 9)
    sides = sides_of(rows[:2], rows)
    for ranges in ([[7, 9]], []):
        chosen = torch.tensor(ranges, dtype=torch.int64).reshape(-1, 2)
        scores, found = torch.zeros(2, 5), torch.zeros(2, 5, dtype=torch.int64)
        asked = best_of(_cuda, Best(sides, Selection(None, chosen), 5))
        workspace = torch.empty(_cuda.best_workspace(asked), dtype=torch.uint8)
        memory = _cuda.Memory(workspace.data_ptr(), workspace.nbytes)
        _cuda.best(asked, memory, scores.data_ptr(), found.data_ptr(), 0)
        count = 2 * len(ranges)
        assert found[:, :count].sort().values.tolist() == [[7, 8][:count]] * 2
        assert found[:, count:].tolist() == [[-1] * (5 - count)] * 2
        assert scores.isnan().tolist() == [[False] * count + [True] * (5 - count)] * 2


@pytest.fixture
def multiprocessors() -> Iterator[Any]:
    """A function that says how many multiprocessors the GPU has during the test."""
    yield emulated.set_multiprocessors
    emulated.set_multiprocessors(emulated.FEW_MULTIPROCESSORS)


@needs_emulator
def test_a_workspace_holds_every_chunk_of_queries(
    format: mf.Format, cuda: Any, multiprocessors: Any
) -> None:
    most = 4096
    # Whole blocks of queries, one fewer and one more, and what lies between.
    last = [n for i in range(16) for n in (256 * i + 1, 256 * i + 97, 256 * i + 255, 256 * i + 256)]
    for count in (2, 16, 80, 108, 132, 144, 160):
        multiprocessors(count)
        for rows, dim, k in ((100_000, 256, 10), (1_000_000, 256, 100), (5000, 200, 1000)):
            shape = {"rows": rows, "dim": dim, "k": k}
            for at_once in last:
                for chunks in (0, 1, 3):
                    queries = most * chunks + at_once
                    for chunk in {min(most, queries), queries % most or most}:
                        whole, part = emulated.search_workspace(
                            format, queries=queries, at_once=chunk, **shape
                        )
                        assert part <= whole, (count, shape, queries, chunk)


@needs_emulator
@pytest.mark.parametrize(
    ("dim", "count", "rows"), [pytest.param(9, 63, 8000, marks=pytest.mark.long), (64, 31, 3960)]
)
def test_a_last_chunk_that_takes_more_memory_than_the_first_finds_the_same(
    cuda: Any, multiprocessors: Any, dim: int, count: int, rows: int
) -> None:
    # The blocks of 4096 queries have a slice each, that of the last 20 has all multiprocessors.
    multiprocessors(count)
    queries = 4116
    shape = {"rows": rows, "dim": dim, "k": 1}
    first, last = (
        emulated.search_workspace(mf.E2M1, queries=queries, at_once=n, **shape)[1]
        for n in (4096, 20)
    )
    assert last > first
    both = random_rows(mf.E2M1, queries + rows, dim)
    assert_found(cuda, search(both[:queries], both[queries:], 1))


@needs_emulator
def test_a_workspace_that_is_too_small_is_refused(cuda: Any) -> None:
    from minifloat import _cuda

    rows = random_rows(mf.E2M1, 70, 64)
    sides = sides_of(rows, rows)
    some, asked = addresses.sides_of(_cuda, sides), best_of(_cuda, Best(sides, Selection(), 5))
    out, indices = torch.empty(70, 70), torch.empty(70, 5, dtype=torch.int64)

    def search(memory: Any) -> None:
        _cuda.best(asked, memory, out.data_ptr(), indices.data_ptr(), 0)

    def scores(memory: Any) -> None:
        _cuda.scores(some, memory, out.data_ptr(), 0)

    sizes = (_cuda.best_workspace(asked), _cuda.scores_workspace(some))
    for bytes, run in zip(sizes, (search, scores), strict=True):
        workspace = torch.empty(bytes, dtype=torch.uint8)
        run(_cuda.Memory(workspace.data_ptr(), bytes))
        with pytest.raises(ValueError, match="the workspace is too small"):
            run(_cuda.Memory(workspace.data_ptr(), bytes - 1))


class OnGpu(torch.Tensor):
    """A tensor that says it is on a GPU."""

    is_cuda = True


@needs_emulator
def test_a_workspace_is_sized_on_the_device_of_the_rows(
    cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minifloat import _cuda

    current = ["another"]

    class Device:
        def __init__(self, device: torch.device) -> None:
            self.device = device

        def __enter__(self) -> None:
            current.append(str(self.device))

        def __exit__(self, *_: object) -> None:
            current.pop()

    sized = []
    for name in ("best_workspace", "scores_workspace"):
        right = getattr(_cuda, name)

        def seen(*arguments: Any, right: Any = right) -> int:
            sized.append(current[-1])
            bytes: int = right(*arguments)
            return bytes

        monkeypatch.setattr(_cuda, name, seen)
    monkeypatch.setattr(torch.cuda, "device", Device)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(cuda_stream=0))
    rows = random_rows(mf.E2M1, 5, 9)
    there = Rows(*[x.as_subclass(OnGpu) for x in rows_of(rows)])
    on_gpu = Sides(there, there, "e2m1", 9)
    with torch._C.DisableTorchFunctionSubclass():
        cuda.search(*arguments(Best(on_gpu, Selection(), 2)))
        cuda.scores(*arguments(AllScores(on_gpu)))
    assert sized == ["cpu", "cpu"]


@needs_emulator
def test_memory_that_starts_anywhere_is_taken(format: mf.Format, cuda: Any) -> None:
    for dim in (64, 192, 200):
        rows = random_rows(format, 100, dim)
        for first in (1, 3, 8):
            bytes = torch.cat([torch.zeros(first, dtype=torch.uint8), rows.codes.flatten()])
            moved = bytes[first:].view(rows.codes.shape)
            expected = mf.decode(mf.unpack(rows.codes, format, dim), format)
            codes = cuda.unpack(moved, format.name, dim)
            assert torch.equal(cuda.decode(codes, format.name), expected)
            values = torch.cat([torch.zeros(first), expected.flatten()])[first:]
            assert torch.equal(cuda.encode_pack(values, format.name, True), moved.flatten())
            assert torch.equal(cuda.encode(values, format.name, True), codes.flatten())
            other = mf.PackedVectors(moved, rows.reciprocal_norms, format, dim)
            found = cuda.scores(*scores(rows[:9], other))
            assert torch.equal(found, cuda.scores(*scores(rows[:9], rows)))


@needs_emulator
def test_the_stub_names_what_the_cuda_extension_has() -> None:
    emulated.install()
    from minifloat import _cuda

    stub = ast.parse((PACKAGE / "_cuda.pyi").read_text())
    names = {n.name for n in stub.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    names |= {ast.unparse(n.target) for n in stub.body if isinstance(n, ast.AnnAssign)}
    assert names == {name for name in dir(_cuda) if not name.startswith("__")}


def extension() -> Path:
    """Return what nvcc has built, or skip."""
    found = list(PACKAGE.glob("_cuda.*.so"))
    if not found:
        pytest.skip("minifloat._cuda is not built: that needs nvcc")
    return found[0]


@cache
def disassembled(*options: str) -> str:
    """Return what cuobjdump, which Triton's package carries, prints of the extension, or skip."""
    triton = find_spec("triton")
    if triton is None or triton.origin is None:
        pytest.skip("cuobjdump comes with Triton")
    tools = Path(triton.origin).parent / "backends" / "nvidia" / "bin"
    command = [str(tools / "cuobjdump"), *options, str(extension())]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = subprocess.run(["c++filt"], input=printed, check=True, capture_output=True, text=True)
    return names.stdout


def product_kernel(name: str) -> tuple[mf.Format, int] | None:
    """Return the format and the tiles of a kernel of products."""
    found = re.search(r"(?:scores|search)_kernel<(\d+), (?:true|false), (\d+),", name)
    return (mf.FORMATS[int(found[1])], int(found[2])) if found else None


def warpgroup_format(name: str) -> mf.Format | None:
    """Return the format of a kernel of products by warpgroups."""
    found = re.search(r"warpgroup_(?:scores|search)_kernel<(\d+), (?:true|false)>", name)
    return mf.FORMATS[int(found[1])] if found else None


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
        assert not warpgroup_format(name) or int(registers) <= WARPGROUP_REGISTERS


@pytest.mark.long
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_products_are_made_by_matrix_units(architecture: str) -> None:
    functions = disassembled("-sass", "-arch", architecture).split("Function : ")[1:]
    if not functions:
        pytest.skip(f"minifloat._cuda is not built for {architecture}")
    for function in functions:
        name, _, code = function.partition("\n")
        product = product_kernel(name)
        units = set(re.findall(r"\b([A-Z]*MMA)\.", code))
        by_warpgroup = warpgroup_format(name)
        if by_warpgroup:
            there = architecture == WARPGROUPS
            unit = "HGMMA" if by_warpgroup.lane == "float" else "IGMMA"
            assert units == ({unit} if there else set()), name
            # Rows and queries come by bulk copies, and one step's products go on during the next.
            assert ("UBLKCP" in code) == there, name
            assert ("WARPGROUP.DEPBAR.LE gsb0, 0x1" in code) == there, name
            continue
        wanted = {"HMMA"} if product and product[0].lane == "float" else {"IMMA"}
        assert units == (wanted if product else set()), name
