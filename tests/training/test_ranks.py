"""Ranks: shares, errors and words of a process that is alone; what several do together is in tests/reliability."""

import pytest
import torch

from thalweg.core.errors import PlanError, RanksPartedError, RunError
from thalweg.core.launch import Launch, launched
from thalweg.training.checksums import checksums
from thalweg.training.rank_layers import has_batch_statistics, spread_layers
from thalweg.training.ranks import ALONE, Ranks, part_of

TOLD = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "node-0", "MASTER_PORT": "29500"}


@pytest.mark.parametrize("size", range(1, 9))
def test_every_thing_goes_to_one_rank_and_parts_are_even(size):
    for count in range(30):
        parts = [part_of(count, rank, size) for rank in range(size)]
        assert [each for first, last in parts for each in range(first, last)] == list(range(count))
        sizes = [last - first for first, last in parts]
        assert max(sizes) - min(sizes) <= 1


def test_a_launcher_is_recognised_with_its_restarts():
    restarted = {"TORCHELASTIC_RESTART_COUNT": "1", "TORCHELASTIC_MAX_RESTARTS": "3"}
    found = launched(TOLD | restarted | {"LOCAL_RANK": "1", "TORCHELASTIC_USE_AGENT_STORE": "True"})
    assert found == Launch(
        rank=1, size=2, local_rank=1, restarts=1, restarts_left=2, address=("node-0", 29500), hosted=True
    )
    assert launched({name: value for name, value in TOLD.items() if name != "MASTER_ADDR"}) is None


@pytest.mark.parametrize("wrong", [{"RANK": "2"}, {"RANK": "-1"}, {"WORLD_SIZE": "many"}])
def test_variables_that_make_no_sense_are_refused(wrong):
    with pytest.raises(PlanError, match=r"make no rank: start with torchrun"):
        launched(TOLD | wrong)


def test_alone_nothing_is_sent():
    assert ALONE.total([1.5]) == [1.5]
    assert ALONE.agree(2.0, 15) == (2.0, 15)
    assert ALONE.words("x") == ["x"]
    assert ALONE.from_first(lambda: "found") == "found"
    assert ALONE.remembered("run") == ""
    with pytest.raises(RunError, match="no such run"):
        ALONE.from_first(_fails)


def _fails():
    raise RunError("no such run")


@pytest.mark.parametrize(
    ("one", "other"),
    [((0, 4), (0, 5)), ((0, 4), (5, 4)), ((0, 3), (2, 3)), ((1, 6150), (1, 6151)), ((2, 0), (5, 6152))],
)
def test_checksums_see_any_bit_and_any_swap(one, other):
    layer = torch.nn.Linear(6153, 6)
    before = checksums(layer)
    for place in (one, other, (5, 6152)):
        with torch.no_grad():
            layer.weight.view(torch.int32)[place] ^= 1
            assert not torch.equal(checksums(layer), before)
            layer.weight.view(torch.int32)[place] ^= 1
    assert torch.equal(checksums(layer), before)
    with torch.no_grad():
        kept = layer.weight[one].clone()
        layer.weight[one] = layer.weight[other]
        layer.weight[other] = kept
    assert not torch.equal(checksums(layer), before)


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.bfloat16, torch.float64, torch.int64])
def test_checksums_of_any_type_and_size(kind):
    for count in (0, 1, 7, 4099):
        layer = torch.nn.Module()
        layer.register_buffer("numbers", torch.ones(count + 1, dtype=kind)[1:])
        before = checksums(layer)
        if count:
            layer.numbers[-1] = 0
            assert not torch.equal(checksums(layer), before)


def test_a_lost_connection_is_one_sentence_and_other_errors_stay(monkeypatch):
    some = Ranks.__new__(Ranks)
    some.rank, some.size = 1, 2
    told = (
        "[/src/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:9. This is typically caused by x"
    )
    lost = pytest.raises(RanksPartedError, match=r"^rank 1 of 2 lost another rank \(Connection closed by peer \[127")
    with lost, some.noticing():
        raise RuntimeError(told)
    with pytest.raises(RuntimeError, match="shapes differ"), some.noticing():
        raise RuntimeError("shapes differ")


def test_layers_that_are_spread_compute_as_before_outside_a_spread_step():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2), torch.nn.Dropout(0.5)).train()
    values = torch.randn(4, 1, 3, 3)
    torch.manual_seed(1)
    before, names = net(values), list(net.state_dict())
    assert spread_layers(net) == 2
    torch.manual_seed(1)
    assert torch.equal(net(values), before)
    assert list(net.state_dict()) == names
    assert has_batch_statistics(net)
    assert not has_batch_statistics(net.eval())
