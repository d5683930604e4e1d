import torch
from torch import nn

from thalweg.explanation.saliency import saliency


def test_without_noise_it_is_the_gradient():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Flatten(), nn.Linear(2 * 9, 6), nn.Tanh(), nn.Linear(6, 3))
    x = torch.randn(2, 2, 3, 3)
    leaf = x.clone().requires_grad_()
    scores = network(leaf)
    wanted = torch.autograd.grad(scores[0, 2] + scores[1, 0], leaf)[0].abs().amax(1)
    assert torch.allclose(saliency(network, x, torch.tensor([2, 0]), copies=0), wanted)


def test_noise_averages_over_the_neighbourhood_and_follows_its_seed():
    network = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(8, 2))
    x = torch.cat([torch.full((1, 1, 4), 0.01), torch.full((1, 1, 4), 1.0)], 2)
    plain, smooth, again = (
        saliency(network, x, torch.tensor([1]), copies=copies, seed=seed)
        for copies, seed in ((0, 0), (200, 0), (200, 0))
    )
    assert torch.equal(smooth, again)
    assert not torch.equal(smooth, saliency(network, x, torch.tensor([1]), copies=200, seed=1))
    assert torch.allclose(smooth[0, 4:], plain[0, 4:])  # far from the kink nothing changes
    assert ((smooth / plain)[0, :4] > 0.35).all()  # at the kink it is open about half of the time
    assert ((smooth / plain)[0, :4] < 0.7).all()
