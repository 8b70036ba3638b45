"""Files of weights that torch reads here: nothing that they hold is run."""

import pickle
from pathlib import Path

import pytest
import torch

from evaluation.command.errors import InputError
from evaluation.extractors import load_extractor
from evaluation.extractors.redimnet import _built
from tests.support.attack import Attack

HUBCONF = """
import torch

def ReDimNetWrap(width=1):
    return torch.nn.Linear(width, 1)
"""


@pytest.fixture
def attack(tmp_path: Path) -> Path:
    """A file of weights that makes another file when it is unpickled."""
    path = tmp_path / "weights.pt"
    torch.save({"model_config": {}, "state_dict": Attack(tmp_path / "victim")}, path)
    return path


def prove(attack: Path) -> None:
    """That nothing was run, and that the attack is one."""
    victim = attack.with_name("victim")
    assert not victim.exists()
    torch.load(attack, weights_only=False)
    assert victim.exists()


def test_weights_of_campplus_run_nothing(attack: Path) -> None:
    pytest.importorskip("kaldi_native_fbank", reason="kaldi-native-fbank is not installed")
    with pytest.raises(InputError, match=r"weights.pt is no file of torch weights \(Weights only"):
        load_extractor("campplus", weights=str(attack), device="cpu")
    prove(attack)


def test_weights_of_redimnet_run_nothing(attack: Path, tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        _built(str(attack), str(tmp_path), source="local")
    prove(attack)


def test_weights_of_redimnet_do_not_speak_to_torch_hub(tmp_path: Path) -> None:
    """`force_reload` would fetch the repository again."""
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    path = tmp_path / "weights.pt"
    state = torch.nn.Linear(3, 1).state_dict()
    torch.save({"model_config": {"width": 3}, "state_dict": state}, path)
    assert _built(str(path), str(tmp_path), source="local").in_features == 3
    torch.save({"model_config": {"width": 3, "force_reload": True}, "state_dict": state}, path)
    with pytest.raises(ValueError, match=r"must be of the model; got force_reload of torch.hub$"):
        _built(str(path), str(tmp_path), source="local")


@pytest.mark.parametrize(
    "last",
    [1, torch.tensor(1), torch.zeros(1).expand(1 << 45, 1)],
    ids=["number", "no dimensions", "huge"],
)
def test_a_layer_of_weights_that_no_memory_holds_is_named(tmp_path: Path, last: object) -> None:
    """With strides of 0 a file of one number has a layer of any size."""
    pytest.importorskip("kaldi_native_fbank", reason="kaldi-native-fbank is not installed")
    path = tmp_path / "weights.pt"
    torch.save({"xvector.dense.linear.weight": last}, path)
    assert path.stat().st_size < 4000
    with pytest.raises(InputError, match=r"weights.pt (holds no CAM|is of another network)"):
        load_extractor("campplus", weights=str(path), device="cpu")
