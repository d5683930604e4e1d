import torch
from torch import nn

from thalweg.explanation.cells import cells_over
from thalweg.explanation.faithfulness import area_under, blurred, insertion_deletion, random_orders


def one_region_network():
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    weight = torch.zeros(2, 8, 8)
    weight[1, 2:4, 4:6] = 2.0
    network[1].weight.data.copy_(weight.flatten(1))
    network[1].bias.data.copy_(torch.tensor([0.0, -4.0]))
    return network


def test_the_oracles_order_beats_random_ones_and_the_wrong_order_loses():
    network, sample, cells = one_region_network(), torch.zeros(1, 8, 8), cells_over((8, 8), 4)
    sample[0, 2:4, 4:6] = 1.0
    oracle = torch.tensor([6, *(cell for cell in range(16) if cell != 6)])  # row 1, column 2 holds the region
    orders = torch.cat([oracle[None], oracle.flip(0)[None], random_orders(4, 16, seed=0)])
    curves = insertion_deletion(network, sample, 1, orders, cells, steps=8, batch_size=5)
    insertion, deletion = (area_under(curves.shares, each) for each in (curves.insertion, curves.deletion))
    assert (insertion[0] > insertion[2:]).all()
    assert (deletion[0] < deletion[2:]).all()
    assert (insertion[1] <= insertion[2:]).all()
    assert (deletion[1] >= deletion[2:]).all()
    whole = torch.softmax(network(sample[None]), 1)[0, 1]
    assert torch.allclose(curves.insertion[:, -1], whole)
    assert torch.allclose(curves.deletion[:, 0], whole)
    assert whole > 0.9
    assert curves.deletion[0, 1] < 0.1
    assert len(curves.shares) == 9


def test_one_sigmoid_and_volumes():
    network = nn.Sequential(nn.Flatten(), nn.Linear(27, 1))
    sample, cells = torch.rand(1, 3, 3, 3), cells_over((3, 3, 3), 3)
    curves = insertion_deletion(network, sample, 0, random_orders(1, 27, 0), cells, steps=3)
    assert torch.allclose(curves.deletion[0, 0], 1 - torch.sigmoid(network(sample[None]))[0, 0])


def test_blurring_keeps_the_mean_of_a_constant_and_flattens_a_peak():
    flat, peak = torch.ones(1, 2, 5, 6), torch.zeros(1, 1, 20)
    peak[0, 0, 10] = 1
    assert torch.allclose(blurred(flat), flat)
    assert blurred(peak).max() < 0.3
    assert blurred(torch.rand(1, 1, 4, 4, 4)).shape == (1, 1, 4, 4, 4)
