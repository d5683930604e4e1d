"""Which epoch's weights are kept: the last, unless validation knows the best one to be better."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from thalweg.core.run_folder import RunFolder
from thalweg.training.scoring import Scores
from thalweg.workbench.runs import kept_epoch
from thalweg.workbench.runs.kept_epoch import keep_epoch

LABELS = np.zeros(40, dtype=np.int64)


@pytest.fixture
def ended(tmp_path, monkeypatch):
    """A run that has ended after three epochs, its network's weight the number of an epoch."""
    said = []

    def make(sure, *, best=1, test=(1,), masks=None):
        """Ended so that of each epoch the right answers have these probabilities on the validation split."""
        network = torch.nn.Linear(1, 1, bias=False)
        network.weight.data.fill_(3.0)
        state = SimpleNamespace(rows=[{}] * 3, best_epoch=best, events=[])
        state.note = lambda kind, message: state.events.append({"kind": kind, "message": message})
        trainer = SimpleNamespace(state=state, evaluated=network)
        trainer.use_best = lambda: network.weight.data.fill_(float(best))
        run = SimpleNamespace(
            parts=SimpleNamespace(validation=tuple(range(40)), test=test), summary=SimpleNamespace(masks=masks),
            start=SimpleNamespace(probe=None), device=None, batches=lambda _: None, folder=RunFolder(tmp_path),
            listener=SimpleNamespace(say=said.append),
        )  # fmt: skip

        def predict(module, *_):
            right = np.asarray(sure[int(module.weight.item())])
            return SimpleNamespace(probabilities=np.stack([right, 1 - right], axis=1), labels=LABELS)

        monkeypatch.setattr(kept_epoch, "predict", predict)
        return keep_epoch(run, trainer), int(network.weight.item()), said, state.events

    return make


def test_scores_have_what_the_stand_in_gives():
    assert {"probabilities", "labels"} <= set(Scores.__dataclass_fields__)


def test_a_lucky_early_epoch_is_not_kept(ended, tmp_path):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 40)
    kept, weights, said, events = ended({1: 0.62 + noise, 3: 0.6 + noise[::-1]})
    assert (kept, weights) == (3, 3)
    assert "loss is not known to be worse than that of epoch 1" in said[0]
    assert json.loads((tmp_path / "events.json").read_text())["events"] == events


def test_an_epoch_that_is_known_to_be_better_is_kept(ended):
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 40)
    kept, weights, said, _ = ended({1: 0.8 + noise, 3: 0.4 + noise})
    assert (kept, weights, said) == (1, 1, [])


def test_a_last_epoch_that_is_no_number_is_not_kept(ended):
    kept, weights, *_ = ended({1: np.full(40, 0.5), 3: np.full(40, np.nan)})
    assert (kept, weights) == (1, 1)


def test_without_a_split_of_its_own_validation_has_no_say(ended):
    assert ended({}, test=())[:2] == (3, 3)


def test_of_scenes_the_best_epoch_is_kept(ended):
    assert ended({}, masks=object())[:2] == (1, 1)
