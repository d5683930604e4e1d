"""`train` scales initial weights in which signals explode, says so, and goes on from the same ones."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

import thalweg
from thalweg.core.codec import from_plain, to_plain
from thalweg.core.plan import TrainingPlan
from thalweg.core.run_folder import RunFolder
from thalweg.monitoring.initial_scale import Rescaling
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import Add, Conv2d, Dense, GlobalAvgPool, MaxPool2d, ReLU
from thalweg.workbench.starting.start import SCALING, start_from_seed
from thalweg.workbench.telling.telling import silent

BLOCKS = 14


def growing():
    """Blocks that add to their input without any normalisation: each makes signals larger."""
    x = Input(3, 16, 16)
    a = MaxPool2d(2)(ReLU()(Conv2d(8, 3, padding="same")(x)))
    for _ in range(BLOCKS):
        a = Add()(a, ReLU()(Conv2d(8, 3, padding="same")(a)))
    return Network(x, Dense(1)(GlobalAvgPool()(a)), name="growing")


@pytest.fixture(scope="module")
def runs(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scale")
    told = []
    repaired = thalweg.train(photo_folder, network=growing(), epochs=2, lr=0.01, out=folder / "repaired",
                             listener=replace(silent(), say=told.append))  # fmt: skip
    left = thalweg.train(photo_folder, network=growing(), epochs=1, lr=1e-5, repair=False, out=folder / "left")
    return folder, repaired, left, told


def test_it_is_an_intervention_with_its_reason(runs):
    folder, repaired, left, told = runs
    kinds = [each.kind for each in repaired.interventions]
    assert kinds[0] == "rescale"
    assert "signals grew to" in repaired.interventions[0].message
    assert any(line.startswith("Scaled the initial weights: signals grew to") for line in told)
    assert left.interventions == ()
    assert not (folder / "left" / SCALING).exists()


def test_a_run_that_has_no_checkpoint_yet_begins_with_the_same_weights(runs):
    folder, *_ = runs
    run = RunFolder(folder / "repaired")
    plan, spec = TrainingPlan.from_toml((folder / "repaired/plan.toml").read_text(), "plan"), run.read_network()
    drawn, scaled = start_from_seed(plan, spec), start_from_seed(plan, spec, run)
    sizes = json.loads((folder / "repaired" / SCALING).read_text())["sizes"]
    name, size = next(iter(sizes.items()))
    weight = f"{name}.weight"
    assert torch.equal(scaled.module.state_dict()[weight], drawn.module.state_dict()[weight] / size)
    assert scaled.scaling is not None
    assert scaled.scaling.wild
    assert weight in load_file(folder / "repaired/model.safetensors")


def test_what_a_run_keeps_of_it_is_read_again():
    found = Rescaling(sizes={"conv1": 2.5}, before=1e30, after=0.7, largest=1e9, spread=4.0, scaled=0.8)
    assert from_plain(Rescaling, to_plain(found), "here") == found
