import pytest
import torch
from torch import nn

from thalweg.core.errors import PlanError
from thalweg.curvature.lanczos import extreme_eigenvalues
from thalweg.curvature.objective import Objective


@pytest.fixture
def normed():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 6))


def objective(module, blobs, **modes):
    inputs, labels = blobs
    batches = list(zip(inputs[:96].split(32), labels[:96].split(32), strict=True))
    return Objective(module=module, batches=batches, loss=nn.functional.cross_entropy, **modes)


@pytest.mark.parametrize("normalisation", ["running", "batch"])
@pytest.mark.parametrize("dropout", ["off", "frozen"])
def test_the_same_numbers_every_time_and_nothing_is_left_changed(normed, blobs, normalisation, dropout):
    normed.train()
    normed[2].eval()
    here = objective(normed, blobs, normalisation=normalisation, dropout=dropout)
    before = {name: value.clone() for name, value in normed.state_dict().items()}
    modes, drawn = [part.training for part in normed.modules()], torch.random.get_rng_state()
    product = here.product()
    vector = torch.ones(product.size)
    assert torch.equal(product(vector), product(vector))
    assert here.value() == here.value() == pytest.approx(product.loss())
    assert [part.training for part in normed.modules()] == modes
    assert all(part.track_running_stats for part in normed.modules() if isinstance(part, nn.BatchNorm1d))
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert all(torch.equal(value, before[name]) for name, value in normed.state_dict().items())


def test_the_modes_are_what_they_say(normed, blobs):
    inputs, labels = blobs
    normed.eval()
    answer = nn.functional.cross_entropy(normed(inputs[:96]), labels[:96])
    running = objective(normed, blobs)
    assert running.value() == pytest.approx(float(answer.detach()))
    other = objective(normed, blobs, normalisation="batch", dropout="frozen")
    assert other.value() != pytest.approx(running.value(), rel=1e-3)
    assert running.said() == ("batch normalisation with its running statistics, as the network answers; dropout off")
    assert other.said().startswith("batch normalisation with the statistics of each microbatch of 32 samples")
    assert objective(nn.Linear(10, 6), blobs).said() == "the network has neither batch normalisation nor dropout"


def test_attention_can_be_bent_twice():
    torch.manual_seed(0)
    module = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    inputs = torch.randn(4, 5, 8)
    here = Objective(module=module, batches=[(inputs, inputs)], loss=nn.functional.mse_loss)
    assert extreme_eigenvalues(here.product(), here.parameters, tolerance=0.1).top[0].value > 0


def test_no_samples_are_refused():
    with pytest.raises(PlanError, match="at least one sample"):
        Objective(module=nn.Linear(1, 1), batches=[], loss=nn.functional.mse_loss)
