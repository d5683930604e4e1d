"""timm's networks: the plain ones agree with timm, the others are refused in a line."""

import importlib
import importlib.util

import pytest
import torch

from thalweg.core.errors import SpecError
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.networks.backbones import head_of, stage_count
from thalweg.pretrained.fitting import fit
from thalweg.pretrained.timm_source import timm_network


@pytest.fixture(scope="module")
def timm():
    if importlib.util.find_spec("timm") is None or not let_torchvision_import():
        pytest.skip("timm is not installed")
    return importlib.import_module("timm")


def test_a_plain_network_agrees_from_its_pixels_on(timm):
    spec = timm_network("timm:resnet18", Shape(3, (64, 64)), 3)
    module, theirs = build(spec.logits()[0], seed=0).eval(), timm.create_model("resnet18", num_classes=3).eval()
    fit(module, theirs.state_dict(), name="resnet18", place="timm")
    x = torch.randint(0, 256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0)).float()
    mean, deviation = (torch.tensor(theirs.default_cfg[key]).reshape(3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        assert (module(x) - theirs((x / 255 - mean) / deviation)).abs().max() < 1e-5
    assert (head_of(spec).name, stage_count(spec)) == ("fc", 5)


@pytest.mark.usefixtures("timm")
@pytest.mark.parametrize(
    ("name", "words"),
    [("timm:convnext_atto", "is no layer that thalweg builds"), ("timm:resnut", "knows no such network")],
)
def test_what_cannot_be_built_is_said_in_a_line(name, words):
    with pytest.raises(SpecError, match=words) as caught:
        timm_network(name, Shape(3, (64, 64)), 2)
    assert "\n" not in str(caught.value)
