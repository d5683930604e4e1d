import sys
import types

import pytest
import torch

from thalweg.core.errors import MissingExtraError, SpecError
from thalweg.core.shape import Shape
from thalweg.workbench.count import count

OWN = """\
from torch import nn
from thalweg.core.errors import ShapeError
from thalweg.workbench.describing.describing import describe

def module():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 2))

def fails():
    raise ValueError("not today")

def misfit():
    raise ShapeError("layer 'a' (3x3)")

spec = describe("lenet").spec
number = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_network.py").write_text(OWN)
    (tmp_path / "own_broken.py").write_text("import there_is_no_such_module")
    yield tmp_path
    for name in ("own_network", "own_broken"):
        sys.modules.pop(name, None)


def test_a_function_of_the_working_folder_gives_the_network(own):
    path = list(sys.path)
    answer = count("own_network:module", input="3,8,8")
    assert sys.path == path
    assert answer.total.parameters == (27 + 1) * 8 + (288 + 1) * 2
    assert count("own_network:spec").total.parameters == 61_706
    assert count("own_network:spec", input="1,32,32").input == [1, 32, 32]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("own_network:module", "own_network:module is a torch module: add --input"),
        ("own_network:fails", r"own_network:fails\(\) failed: ValueError: not today"),
        ("own_network:misfit", r"^layer 'a' \(3x3\)$"),
        ("own_network:number", "a network's description or a torch module is wanted, not 3"),
        ("own_network:other", "module 'own_network' has no 'other'"),
        ("own_broken:make", "importing it failed: No module named 'there_is_no_such_module'"),
        ("own_missing:make", "no module 'own_missing' in the working folder or installed"),
    ],
)
def test_what_goes_wrong_in_it_is_told_in_one_line(own, name, told):
    from thalweg.core.errors import ThalwegError

    with pytest.raises(ThalwegError, match=told):
        count(name)


def test_a_model_of_timm_is_made_without_weights(monkeypatch):
    def create_model(name, *, pretrained, num_classes=1000):
        if name != "tiny":
            raise RuntimeError(f"Unknown model ({name})")
        assert not pretrained
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 36, num_classes))
        model.default_cfg = {"input_size": (3, 8, 8)}
        assert next(model.parameters()).is_meta
        return model

    monkeypatch.setitem(sys.modules, "timm", types.SimpleNamespace(create_model=create_model))
    answer = count("timm:tiny", classes=5)
    assert (answer.network, answer.input) == ("tiny", [3, 8, 8])
    assert answer.total.parameters == 112 + 145 * 5
    assert answer.ledger.input_shapes == {"input": Shape(3, (8, 8))}
    with pytest.raises(SpecError, match=r"timm:huge cannot be made: Unknown model \(huge\)"):
        count("timm:huge")


def test_timm_is_asked_for_by_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        MissingExtraError, match=r"timm is needed for timm:resnet18: pip install 'thalweg\[backbones\]'"
    ):
        count("timm:resnet18")
