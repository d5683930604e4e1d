"""A segmenter whose encoder is pretrained: weights strictly in their places, held statistics, and the way back."""

import os
import signal
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from thalweg.core.errors import PlanError, WeightsError
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.networks.catalogue import network
from thalweg.workbench.resume import resume
from thalweg.workbench.telling.telling import silent
from thalweg.workbench.train import train

OPTIONS = {"backbone": "efficientnet-lite0", "epochs": 1, "batch_size": 8, "lr": 0.002, "repair": False}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of the classifier, as they are published, but at random."""
    file = tmp_path_factory.mktemp("weights") / "lite0.safetensors"
    module = build(network("efficientnet-lite0", Shape(3, (32, 32)), 1000).logits()[0], seed=5)
    save_file({name: value.contiguous() for name, value in module.state_dict().items()}, file)
    return file


def test_the_encoder_begins_with_its_weights_and_a_stopped_run_goes_on_to_the_bit(street_folder, weights, tmp_path):
    def stop(progress):
        if progress.epoch == 1 and progress.step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    whole = train(street_folder, weights=weights, freeze=2, out=tmp_path / "whole", **OPTIONS)
    listener = replace(silent(), train=stop)
    stopped = train(street_folder, weights=weights, freeze=2, out=tmp_path / "run", listener=listener, **OPTIONS)
    assert stopped.interrupted == 130
    begun, given = load_file(tmp_path / "run" / "checkpoints" / "start.safetensors"), load_file(weights)
    shared = [name for name in given if name in begun and "num_batches" not in name]
    assert len(shared) > 200
    assert all(torch.equal(begun[name], given[name]) for name in shared)
    gone_on = resume(tmp_path / "run")
    assert gone_on.mean_iou == whole.mean_iou
    ended, other = (load_file(tmp_path / each / "model.safetensors") for each in ("run", "whole"))
    assert all(torch.equal(ended[name], other[name]) for name in ended)
    held = [name for name in shared if name.endswith(("running_mean", "running_var"))]
    assert all(torch.equal(ended[name], given[name]) for name in held)
    assert torch.equal(ended["_conv_stem.weight"], given["_conv_stem.weight"])  # in the stages that were frozen
    assert not torch.equal(ended["_blocks.10._depthwise_conv.weight"], given["_blocks.10._depthwise_conv.weight"])
    assert any("running_mean" in name and name.startswith("decoder.") for name in ended)


def test_weights_of_another_network_and_options_of_classifiers_are_refused(street_folder, weights, tmp_path):
    with pytest.raises(WeightsError, match="does not fit unet-resnet18"):
        train(street_folder, weights=weights, out=tmp_path / "run", **{**OPTIONS, "backbone": "resnet18"})
    with pytest.raises(PlanError, match="--head-only is for classifiers"):
        train(street_folder, weights=weights, head_only=True, out=tmp_path / "run", **OPTIONS)
    with pytest.raises(PlanError, match="--freeze 9: the encoder of unet-efficientnet-lite0 has 5 stages"):
        train(street_folder, weights=weights, freeze=9, out=tmp_path / "run", **OPTIONS)
