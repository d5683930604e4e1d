"""Every family is told from its gradient, whatever scales it; what fits none is not made up."""

import pytest
import torch
from torch.nn import functional

from thalweg.monitoring.loss_family import recognise


def gradient_of(loss, z):
    z = z.clone().requires_grad_()
    value = loss(z)
    return float(value.detach()), torch.autograd.grad(value, z)[0]


def hard(z):
    return torch.arange(len(z)) % z.shape[1]


LABELS = {
    "softmax": lambda z: functional.cross_entropy(z, hard(z)),
    "summed": lambda z: functional.cross_entropy(z, hard(z), reduction="sum") / len(z),
    "smoothed": lambda z: functional.cross_entropy(z, hard(z), label_smoothing=0.1),
    "mixed": lambda z: 0.3 * functional.cross_entropy(z, hard(z)) + 0.7 * functional.cross_entropy(z, hard(z).flip(0)),
    "weighted": lambda z: functional.cross_entropy(z, hard(z), weight=torch.linspace(0.5, 2, z.shape[1])),
    "ignored": lambda z: functional.cross_entropy(z, torch.where(hard(z) == 1, -100, hard(z))),
    "log-softmax": lambda z: functional.nll_loss(torch.log_softmax(z, 1), hard(z)),
    "sigmoid": lambda z: functional.binary_cross_entropy_with_logits(z, functional.one_hot(hard(z), z.shape[1]) * 1.0),
    "squared": lambda z: functional.mse_loss(z, functional.one_hot(hard(z), z.shape[1]) * 1.0),
}


@pytest.mark.parametrize("scale", [1.0, 65536.0, 0.25])
@pytest.mark.parametrize("spread", [0.01, 1.0, 8.0])
@pytest.mark.parametrize("name", LABELS)
def test_a_family_is_recognised_under_any_scale(name, scale, spread):
    torch.manual_seed(0)
    z = spread * torch.randn(24, 6)
    value, gradient = gradient_of(LABELS[name], z)
    found = recognise(z, gradient * scale)
    assert found is not None
    assert float(found.loss(z)) == pytest.approx(value, rel=1e-3)
    moved = z + 0.5 * torch.randn_like(z)  # the loss elsewhere, not only where it was seen
    assert float(found.loss(moved)) == pytest.approx(float(LABELS[name](moved)), rel=5e-3)


def test_networks_that_end_in_probabilities_are_recognised():
    torch.manual_seed(0)
    z = torch.randn(16, 4)
    for squash, loss in (
        (lambda x: torch.log_softmax(x, 1), lambda p: functional.nll_loss(p, hard(p))),
        (lambda x: torch.softmax(x, 1), lambda p: functional.nll_loss(p.log(), hard(p))),
        (torch.sigmoid, lambda p: functional.binary_cross_entropy(p, functional.one_hot(hard(p), 4) * 1.0)),
        (lambda x: torch.softmax(x, 1), lambda p: functional.cross_entropy(p, hard(p))),  # softmax twice
    ):
        p = squash(z)
        value, gradient = gradient_of(loss, p)
        found = recognise(p, gradient)
        assert found is not None
        assert float(found.loss(p)) == pytest.approx(value, rel=1e-3)


def test_one_output_for_two_classes_and_pictures_of_classes():
    torch.manual_seed(0)
    z = torch.randn(16, 1)
    y = (torch.arange(16) % 2).float()
    for weight in (None, torch.tensor(3.0)):
        value, gradient = gradient_of(
            lambda v, w=weight: functional.binary_cross_entropy_with_logits(v[:, 0], y, pos_weight=w), z
        )
        found = recognise(z, gradient)
        assert found.family == "sigmoid cross-entropy"
        assert weight is not None or float(found.loss(z)) == pytest.approx(value, rel=1e-4)
    picture, labels = torch.randn(2, 3, 5, 5), torch.randint(0, 3, (2, 5, 5))
    value, gradient = gradient_of(lambda v: functional.cross_entropy(v, labels), picture)
    assert float(recognise(picture, gradient).loss(picture)) == pytest.approx(value, rel=1e-4)


def test_half_precision_is_recognised():
    torch.manual_seed(0)
    z = (2 * torch.randn(32, 10)).bfloat16()
    value, gradient = gradient_of(lambda v: functional.cross_entropy(v.float(), hard(v)), z)
    assert gradient.dtype == torch.bfloat16
    assert float(recognise(z, gradient).loss(z)) == pytest.approx(value, rel=2e-2)


@pytest.mark.parametrize(
    "loss",
    [
        lambda z: functional.l1_loss(z, torch.randn(24, 6)),
        lambda z: functional.mse_loss(z, torch.randn(24, 6)),
        lambda z: functional.cross_entropy(z / 3, hard(z)),
        lambda z: functional.multi_margin_loss(z, hard(z)),
        lambda z: z.sum(),
        lambda z: (z * torch.randn(24, 6)).sum(),
        lambda z: functional.normalize(z).pow(3).sum(),
        lambda z: functional.cross_entropy(z[:, :2], hard(z[:, :2])) + z[:, 2:].pow(2).sum(),
    ],
)
def test_another_loss_is_not_taken_for_one_of_these(loss):
    torch.manual_seed(0)
    z = 2 * torch.randn(24, 6)
    assert recognise(z, gradient_of(loss, z)[1]) is None


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (2, 2), (0, 3), ()])
def test_too_little_to_tell_is_told_as_nothing(shape):
    z = torch.randn(shape)
    assert recognise(z, torch.randn(shape)) is None
    assert recognise(torch.randn(8, 3), torch.full((8, 3), float("nan"))) is None
