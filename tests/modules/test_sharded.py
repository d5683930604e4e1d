"""Shards of weights, as a network in one piece sees them; what several ranks do is in tests/reliability."""

import pytest
import torch

from thalweg.modules import sharded
from thalweg.modules.sharded import ALONE, can_shard, fill, hollow, is_sharded, kind_of, load_whole, local


class Rows:
    """Stands in for a tensor of which this process has some rows."""

    def __init__(self, rows):
        self.rows = rows

    def to_local(self):
        return self.rows


@pytest.fixture
def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten())


def test_this_torch_can_shard():
    assert can_shard()


def test_a_tensor_in_one_piece_is_its_own_rows_and_its_own_whole(net):
    weight = net[0].weight
    assert local(weight) is weight
    assert sharded.whole(weight) is weight
    assert not is_sharded(net)
    assert kind_of(net[0]) is torch.nn.Conv2d


@pytest.mark.parametrize(("rank", "expected"), [(0, [0.0, 1.0]), (1, [2.0, 3.0]), (2, [4.0, -1.0])])
def test_a_rank_takes_its_rows_as_torch_cuts_them(monkeypatch, rank, expected):
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 3)
    room = torch.full((2,), -1.0)
    fill(Rows(room[: 1 if rank == 2 else 2]), torch.arange(5.0))
    assert room.tolist() == expected


def test_a_rank_without_rows_is_left_alone(monkeypatch):
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 3)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 4)
    room = torch.zeros(0)
    fill(Rows(room), torch.ones(1))
    assert room.numel() == 0


def test_a_hollow_copy_has_the_same_names_and_takes_whole_weights(net):
    frame = hollow(net)
    assert frame[0].weight.is_meta
    assert not net[0].weight.is_meta
    frame.load_state_dict(net.state_dict(), assign=True)
    values = torch.randn(2, 1, 4, 4)
    assert torch.equal(frame.eval()(values), net.eval()(values))


def test_whole_states_are_taken_strictly(net):
    other = {name: value + 1 for name, value in net.state_dict().items()}
    load_whole(net, other)
    assert torch.equal(net[0].bias, other["0.bias"])
    with pytest.raises(RuntimeError, match=r"0\.bias is missing"):
        load_whole(net, {name: value for name, value in other.items() if name != "0.bias"})
    with pytest.raises(RuntimeError, match=r"0\.bias .* another shape"):
        load_whole(net, other | {"0.bias": torch.zeros(3)})


def test_large_layers_are_gathered_by_themselves_and_small_ones_together():
    side = int(ALONE**0.5)
    large, small = torch.nn.Linear(side, side), torch.nn.Linear(2, 2)
    assert sharded._large_layers(torch.nn.Sequential(large, small, torch.nn.Sequential(large))) == [large]
