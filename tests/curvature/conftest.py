import pytest
import torch
from torch import nn

FEATURES, CLASSES = 10, 6


@pytest.fixture
def blobs():
    """512 samples of six classes around six centres, far enough apart to be learned."""
    random = torch.Generator().manual_seed(0)
    centres = torch.randn(CLASSES, FEATURES, generator=random) * 1.5
    labels = torch.randint(CLASSES, (512,), generator=random)
    return centres[labels] + torch.randn(512, FEATURES, generator=random), labels


@pytest.fixture
def network():
    def make(hidden=16, seed=0):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(FEATURES, hidden), nn.Tanh(), nn.Linear(hidden, CLASSES))

    return make


@pytest.fixture
def pieces():
    def cut(module, inputs, labels, count=8, loss=nn.functional.cross_entropy):
        pairs = zip(inputs.chunk(count), labels.chunk(count), strict=True)
        return [lambda one=one, other=other: loss(module(one), other) for one, other in pairs]

    return cut


@pytest.fixture
def full_hessian():
    """The slow readable twin: every row by a gradient of a gradient, in double precision."""

    def compute(losses, parameters):
        gradients = torch.cat([
            part.reshape(-1)
            for part in torch.autograd.grad(sum(loss() for loss in losses) / len(losses), parameters, create_graph=True)
        ])
        rows = [
            torch.cat([part.reshape(-1) for part in torch.autograd.grad(number, parameters, retain_graph=True)])
            for number in gradients
        ]
        return torch.stack(rows).double()

    return compute
