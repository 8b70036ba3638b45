import re
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
import torch

from evaluation.command.errors import InputError
from evaluation.extractors import load_extractor
from evaluation.extractors.registry import MODELS
from tests.support.paths import ROOT

LIBRARIES = {
    "campplus": "kaldi_native_fbank",
    "ge2e": "resemblyzer",
    "pyannote": "pyannote",
    "redimnet": "torchaudio",
    "speechbrain-ecapa": "speechbrain",
    "wavlm": "transformers",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_missing_library_is_named_with_its_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = LIBRARIES.get(name, "nemo")
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


@pytest.mark.parametrize("name", MODELS)
def test_every_name_leads_to_a_class_that_imports_nothing(name: str) -> None:
    module, kind = MODELS[name]
    before = set(sys.modules)
    assert hasattr(import_module(f"evaluation.extractors.{module}"), kind)
    brought = {one.partition(".")[0] for one in set(sys.modules) - before}
    assert not brought & {*LIBRARIES.values(), "nemo"}


def test_the_document_has_every_name() -> None:
    document = (ROOT / "docs" / "extractors.md").read_text()
    assert [name for name in MODELS if f"| `{name}` |" not in document] == []
