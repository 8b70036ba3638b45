import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import safetensors
import torch

import minifloat as mf
from minifloat import _C

PACKAGE = Path(mf.__file__).parent
STUB = ast.parse((PACKAGE / "_C.pyi").read_text())
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}


def run(*arguments: str) -> str:
    found = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_import_brings_in_nothing_heavy() -> None:
    program = """
import sys, torch, numpy, safetensors.torch
before = set(sys.modules)
import minifloat
names = {name.partition(".")[0] for name in set(sys.modules) - before}
known = {*sys.stdlib_module_names, "numpy", "safetensors", "torch"}
print(*sorted(names - known), torch.cuda.is_initialized())
"""
    assert run("-c", program) == "minifloat False\n"


@pytest.mark.parametrize("start", ["import minifloat", "import minifloat.formats"])
def test_a_checkout_without_kernels_says_what_to_type(tmp_path: Path, start: str) -> None:
    folder = tmp_path / "minifloat"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    # Without site, an editable installation does not lend its kernels.
    others = {str(Path(inspect.getfile(module)).parents[1]) for module in (np, safetensors, torch)}
    found = subprocess.run(
        [sys.executable, "-S", "-c", start],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sorted(others))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1] == (
        f"ImportError: minifloat is imported from {folder}, where its kernels are not built for "
        "this Python: in a checkout, `pip install -e .` builds them there; to use a minifloat that "
        "is installed, start Python in another folder"
    )
    assert "partially initialized" not in found.stderr


def test_an_editable_installation_is_found_beside_a_checkout_of_its_name(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    checkout, installed = tmp_path / "minifloat", tmp_path / "installed"
    package = checkout / "minifloat"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("here = True\n")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PACKAGE.parent / name, checkout)
    build = "import sys, setuptools.build_meta as backend; backend.build_editable(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=checkout, check=True, capture_output=True
    )
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(installed)
    script = tmp_path / "script.py"
    add = f"import site; site.addsitedir({str(installed)!r})\n"
    script.write_text(add + "import minifloat; print(minifloat.here)\n")
    # Without site and PYTHONPATH, that of the tests is not there.
    assert run("-E", "-S", str(script)) == "True\n"


def test_all_names_what_is_public() -> None:
    assert mf.__all__ == sorted(mf.__all__)
    imported = {
        name
        for name, value in vars(mf).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert set(mf.__all__) == imported
    assert set(dir(mf)) == {*mf.__all__, *(format.name.upper() for format in mf.FORMATS)}
    for name in dir(mf):
        assert hasattr(mf, name)


def test_what_is_public_has_a_docstring() -> None:
    undocumented = []
    for name in mf.__all__:
        value = getattr(mf, name)
        if not callable(value):
            continue
        members = vars(value).items() if inspect.isclass(value) else ()
        documented = {
            name: value,
            **{f"{name}.{n}": m for n, m in members if not n.startswith("_")},
        }
        for label, found in documented.items():
            if callable(found) or isinstance(found, property | staticmethod | cached_property):
                undocumented += [] if inspect.getdoc(found) else [label]
    assert undocumented == []
    assert all(format.__doc__ for format in mf.FORMATS)


def test_the_stub_names_what_the_extension_has() -> None:
    constants = {
        node.target.id
        for node in STUB.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    there = {name for name in dir(_C) if not name.startswith("__")}
    assert constants | FUNCTIONS.keys() | CLASSES.keys() == there
    assert {name for name in there if not callable(getattr(_C, name))} == constants


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_the_stub_has_the_extensions_parameters(name: str) -> None:
    theirs_of = getattr(_C, name)
    if name in FUNCTIONS:
        stub = FUNCTIONS[name]
        parameters = stub.args.posonlyargs
    else:
        (stub,) = (node for node in CLASSES[name].body if isinstance(node, ast.FunctionDef))
        parameters = stub.args.posonlyargs[1:]
        theirs_of = theirs_of.__init__
    assert not stub.args.args
    assert not stub.args.kwonlyargs
    # pybind11 writes a signature such as `encode(arg0: SupportsInt, arg1: bool) -> None`.
    signature = (theirs_of.__doc__ or "").splitlines()[0]
    theirs = re.findall(r"arg\d+: ([\w.]+)", signature)
    assert len(theirs) == len(parameters), signature
    for parameter, found in zip(parameters, theirs, strict=True):
        assert parameter.annotation is not None
        kind = ast.unparse(parameter.annotation)
        assert (kind == "bool") == (found == "bool"), f"{parameter.arg} in {signature}"
        assert (kind == "str") == (found == "str"), f"{parameter.arg} in {signature}"
    assert stub.returns is not None
    assert signature.endswith(f"-> {ast.unparse(stub.returns)}")


def test_the_extension_refuses_the_wrong_number_of_arguments() -> None:
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _C.decode(0, 0)  # type: ignore[call-arg]


def test_the_command_prints_every_format_and_what_runs() -> None:
    printed = run("-m", "minifloat")
    rows = {line.split()[0]: line.split() for line in printed.splitlines() if line}
    for f in mf.FORMATS:
        dtype = "-" if f.torch_dtype is None else str(f.torch_dtype).removeprefix("torch.")
        smallest = f"{f.smallest_subnormal:g}"
        row = [f.name, str(f.bits), f"{f.max:g}", smallest, f.specials, f.lane, dtype]
        assert rows[f.name] == row
    assert f"minifloat {mf.__version__}, torch {torch.__version__}" in printed
    assert ", ".join(_C.available_isas()) in printed
    assert "MINIFLOAT_ISA" in printed


def test_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert (PACKAGE / "_C.pyi").exists()


def test_modules_are_named_for_the_thing_in_them() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert "codec" in names
    assert names.isdisjoint({"utils", "util", "helpers", "common", "misc"})


def test_no_format_is_listed_outside_the_table() -> None:
    # A module that names formats in its code, not in what it says about them, has a second table.
    # One of them is a default.
    listed = {}
    for path in PACKAGE.rglob("*.py"):
        strings = {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        names = strings & {format.name for format in mf.FORMATS}
        if len(names) > 1:
            listed[path.name] = names
    assert listed == {}
