import sys
from importlib import import_module
from pathlib import Path

import pytest

from evaluation.errors import InputError
from evaluation.extractors import load_extractor
from evaluation.extractors.registry import MODELS

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


@pytest.mark.parametrize("name", MODELS)
def test_every_name_leads_to_a_class_that_imports_nothing(name: str) -> None:
    module, kind = MODELS[name]
    before = set(sys.modules)
    assert hasattr(import_module(f"evaluation.extractors.{module}"), kind)
    brought = {one.partition(".")[0] for one in set(sys.modules) - before}
    assert not brought & {*LIBRARIES.values(), "nemo"}


def test_the_document_has_every_name() -> None:
    document = (Path(__file__).parents[2] / "docs" / "extractors.md").read_text()
    assert [name for name in MODELS if f"| `{name}` |" not in document] == []
