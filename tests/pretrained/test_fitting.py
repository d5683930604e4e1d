"""Weights fit a network wholly, or not at all."""

import pytest
import torch

from thalweg.core.errors import WeightsError
from thalweg.pretrained.fitting import fit, from_hed


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(4, 2)
    )


def stored():
    torch.manual_seed(1)
    return {name: value.clone() for name, value in network().state_dict().items()}


def test_all_but_the_head_is_loaded():
    net, given = network(), stored()
    before = net[3].weight.clone()
    given["3.weight"] = torch.zeros(1000, 4)
    fit(net, given, name="net", place="a.pth", leave=("3.",))
    assert torch.equal(net[0].weight, given["0.weight"])
    assert torch.equal(net[3].weight, before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("0.bias"), r"lacks 1 of 9 tensors \(0\.bias\)"),
        (lambda t: t.update(more=torch.ones(1)), r"has 1 tensors that the network has not \(more\)"),
        (lambda t: t.update({"0.weight": torch.ones(4, 1, 1, 1)}), "0.weight is 4x1x1x1 in the file, 4x3x1x1"),
        (lambda t: t["0.weight"].fill_(torch.nan), "not finite"),
        (lambda t: t.update({"0.weight": torch.ones(4, 3, 1, 1, dtype=torch.int64)}), "int64"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(change, words):
    net, given = network(), stored()
    change(given)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(WeightsError, match=words):
        fit(net, given, name="net", place="a.pth")
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_counters_of_batches_and_auxiliary_heads_may_differ():
    net, given = network(), stored()
    del given["1.num_batches_tracked"]
    fit(net, given | {"aux1.fc.weight": torch.ones(1)}, name="net", place="a.pth")
    assert torch.equal(net[0].bias, given["0.bias"])


def test_names_of_old_dense_networks_are_understood():
    net = torch.nn.ModuleDict({"denselayer1": torch.nn.ModuleDict({"norm1": torch.nn.BatchNorm2d(2)})})
    given = {key.replace("norm1", "norm.1"): value + 3 for key, value in net.state_dict().items()}
    fit(net, given, name="net", place="a.pth")
    assert net["denselayer1"]["norm1"].weight.tolist() == [4.0, 4.0]


def test_kernels_of_hed_are_turned_around():
    widths = (3, 64, 128, 256, 512, 512)
    tensors = {}
    for stage, count in enumerate((2, 2, 3, 3, 3), start=1):
        for number in range(count):
            shape = (3, 3, widths[stage - 1 if number == 0 else stage] if stage < 6 else 512, 1)
            layer = f"block{stage}/layers/conv2d" + (f"_{number}" if number else "")
            tensors |= {f"{layer}/vars/0": torch.rand(shape), f"{layer}/vars/1": torch.rand(1)}
    named = from_hed(tensors)
    assert len(named) == 26
    first = tensors["block1/layers/conv2d/vars/0"]
    assert named["features.0.weight"][0, 0, 1, 2] == first[1, 2, 2, 0]  # red is the last of blue, green, red
    assert named["features.28.weight"].shape[:2] == (1, 512)
    del tensors["block4/layers/conv2d_1/vars/1"]
    with pytest.raises(WeightsError, match="lacks block4/layers/conv2d_1"):
        from_hed(tensors)
