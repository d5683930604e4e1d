"""A run of ours is watched without being changed, repaired when asked, and goes on to the bit with both."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file

from thalweg.core.errors import TrainingFailedError
from thalweg.histories.reading import read
from thalweg.workbench.resume import resume
from thalweg.workbench.runs import session
from thalweg.workbench.runs.monitor import Monitor, _packed, _unpacked
from thalweg.workbench.train import train

OPTIONS = {"network": "small", "epochs": 2, "image_size": 32, "batch_size": 8, "test": 0.25, "optimizer": "sgd"}
RECIPE = OPTIONS | {"optimizer": "adamw"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    import numpy as np
    from PIL import Image

    root = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 180)):
        (root / name).mkdir()
        for number in range(24):
            pixels = np.clip(generator.normal(level, 30, (32, 32, 3)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def weights(run):
    return load_file(f"{run.run}/model.safetensors")


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


class Absent(Monitor):
    """Takes no seat at all."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.seat.close()


def test_a_watched_run_is_an_unwatched_one_to_the_bit(photos, tmp_path, monkeypatch):
    watched = train(photos, lr=0.05, repair=False, out=tmp_path / "watched", **OPTIONS)
    repaired = train(photos, lr="auto", out=tmp_path / "auto", **RECIPE)
    assert watched.monitor_overhead > 0
    assert watched.interventions == repaired.interventions == ()
    monkeypatch.setattr(session, "Monitor", Absent)
    plain = train(photos, lr=0.05, repair=False, out=tmp_path / "plain", **OPTIONS)
    assert same(weights(watched), weights(plain))
    healthy = train(photos, lr="auto", repair=False, out=tmp_path / "alone", **RECIPE)
    assert same(weights(repaired), weights(healthy))  # a run that needs no repair gets none
    (found,) = read(tmp_path / "watched")
    names = {(signal.name, signal.subject) for signal in found.history.signals}
    layers = {layer.name for layer in found.history.network.weighted}
    assert {subject for name, subject in names if name == "batch_update_ratio"} > layers
    assert found.history.network.loss == "binary_cross_entropy_with_logits"
    assert not [note for note in found.notes if "passed over" in note]


def test_a_rate_far_off_is_set_right_only_where_repair_is_wanted(photos, tmp_path):
    repaired = train(photos, lr=1e4, out=tmp_path / "repaired", **OPTIONS)
    assert repaired.learning_rate < 10
    assert repaired.interventions[0].kind == "lower_rate"
    assert repaired.interventions[0].learning_rate_before == 1e4
    assert "short trials before the first step" in (tmp_path / "repaired/report.html").read_text()
    assert math.isfinite(repaired.accuracy)
    with pytest.raises(TrainingFailedError, match="not finite"):
        train(photos, lr=1e6, repair=False, out=tmp_path / "left", **OPTIONS)


def test_an_interrupted_run_goes_on_to_the_bit_with_its_measurements(photos, tmp_path, stop_after):
    whole = train(photos, lr=0.05, out=tmp_path / "whole", **OPTIONS)
    with stop_after(7):
        cut = train(photos, lr=0.05, out=tmp_path / "cut", **OPTIONS)
    assert cut.interrupted == 130
    again = resume(tmp_path / "cut")
    assert same(weights(whole), weights(again))
    steps = [json.loads(line).get("step", 0) for line in (tmp_path / "cut/signals.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert max(steps) == 10


def test_nested_state_goes_through_a_checkpoint():
    tensors = {}
    state = {"a": [1, {"b": torch.ones(2)}], "c": math.nan, "d": None}
    plain = json.loads(json.dumps(_packed(state, "", tensors)))
    back = _unpacked(plain, "", tensors)
    assert torch.equal(back["a"][1]["b"], torch.ones(2))
    assert math.isnan(back["c"])
    assert back["d"] is None
