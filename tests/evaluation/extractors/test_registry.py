import argparse
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import torch

from evaluation import extractors
from evaluation.command.errors import InputError
from evaluation.extractors import load_extractor, options
from evaluation.extractors.model import Model, Option
from evaluation.extractors.registry import MODELS, OPTIONS
from tests.support.paths import ROOT


@pytest.mark.parametrize("name", MODELS)
def test_a_missing_library_is_named_with_its_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = MODELS[name].library.partition(".")[0]
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "weights").touch()
    message = rf"{name} needs {library}.*, which is not installed; pip install .*minifloat\[extract"
    with pytest.raises(InputError, match=message):
        load_extractor(name, weights=str(tmp_path / "weights"))


@pytest.mark.parametrize("there", [True, False])
def test_weights_that_do_not_load_are_named_with_what_the_library_says(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, *, trust_remote_code: bool) -> NoReturn:
        assert not trust_remote_code
        raise OSError("no model in it")

    library = SimpleNamespace(AutoFeatureExtractor=SimpleNamespace(from_pretrained=refuse))
    monkeypatch.setitem(sys.modules, "transformers", library)
    weights = tmp_path if there else tmp_path / "absent"
    hint = "" if there else "; there is no such path, and no such name in reach"
    message = f"wavlm: '{weights}' does not load (no model in it){hint}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_extractor("wavlm", weights=str(weights), device="cpu")


def test_a_gpu_that_was_taken_and_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*shape: int, device: torch.device) -> NoReturn:
        raise RuntimeError("CUDA error: out of memory\nand how to find out where")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", fail)
    message = "--device must be one that torch has; got 'cuda': CUDA error: out of memory"
    with pytest.raises(InputError, match=f"^{message}$"):
        load_extractor("ge2e")


def test_all_models_are_known_without_their_libraries() -> None:
    libraries = {model.library.partition(".")[0] for model in MODELS.values()}
    code = "import sys, evaluation.extractors; print(*{one.split('.')[0] for one in sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not libraries & set(found.stdout.split())


def test_an_option_of_some_models_is_refused_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Option(name="size", metavar="S", help="how large", otherwise="has one size")
    loaded: dict[str, Any] = {}

    def load(**given: Any) -> Any:
        return loaded.update(given)

    some = Model(name="some", library="x", extra="extract-x", load=load, takes=[own])
    for module in (extractors, options):
        monkeypatch.setattr(module, "OPTIONS", OPTIONS | {"size": own})
        monkeypatch.setattr(module, "MODELS", MODELS | {"some": some})
    parser = argparse.ArgumentParser()
    for add in (options.add_model, options.add_weights, options.add_device):
        add(parser)

    def chosen(name: str) -> None:
        given = parser.parse_args(["--model", name, "--size", "9", "--device", "cpu"])
        found = options.chosen_model(given)
        load_extractor(found.name, weights=found.weights, device=found.device, **found.own)

    chosen("some")
    assert loaded == {"weights": None, "device": torch.device("cpu"), "size": "9"}
    with pytest.raises(InputError, match=r"^--size is for some; ge2e has one size; got '9'$"):
        chosen("ge2e")


def test_the_document_has_every_name() -> None:
    document = (ROOT / "docs" / "studies" / "extractors.md").read_text()
    assert [name for name in MODELS if f"| `{name}` |" not in document] == []
