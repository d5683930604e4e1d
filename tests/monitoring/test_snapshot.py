"""State is copied and put back to the bit."""

import torch

from thalweg.monitoring.snapshot import Snapshot, fresh_optimizer, is_finite


def trained(kind: type[torch.optim.Optimizer]) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    optimizer = kind(net.parameters(), lr=0.1)
    step(net, optimizer, 3)
    return net, optimizer


def step(net: torch.nn.Module, optimizer: torch.optim.Optimizer, times: int) -> None:
    torch.manual_seed(1)
    for _ in range(times):
        optimizer.zero_grad()
        net(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()


def same(one: torch.nn.Module, other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.state_dict().items())


def test_training_goes_on_from_a_snapshot_as_if_nothing_had_happened() -> None:
    for kind in (torch.optim.SGD, torch.optim.AdamW):
        net, optimizer = trained(kind)
        kept = Snapshot.take(net, optimizer, 3)
        step(net, optimizer, 2)
        wanted = {name: value.clone() for name, value in net.state_dict().items()}
        for weight in net.parameters():
            weight.data.fill_(torch.nan)
        assert not is_finite(net)
        kept.put_back(net, optimizer)
        step(net, optimizer, 2)
        assert same(net, wanted)


def test_a_snapshot_survives_a_file_of_tensors() -> None:
    net, optimizer = trained(torch.optim.AdamW)
    kept = Snapshot.take(net, optimizer, 3)
    step(net, optimizer, 2)
    wanted = {name: value.clone() for name, value in net.state_dict().items()}
    again = Snapshot.unpack(kept.pack())
    again.put_back(net, optimizer)
    step(net, optimizer, 2)
    assert again.step == 3
    assert same(net, wanted)


def test_distance_is_relative() -> None:
    net = torch.nn.Linear(2, 2)
    kept = Snapshot.take(net, None)
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(3.0)
    assert abs(kept.distance(net) - 2.0) < 1e-6


def test_a_fresh_optimizer_shares_weights_and_nothing_else() -> None:
    net, optimizer = trained(torch.optim.AdamW)
    torch.optim.lr_scheduler.StepLR(optimizer, 1)
    calls = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    before = {key: value.clone() for key, value in optimizer.state[net[0].weight].items()}
    fresh = fresh_optimizer(optimizer)
    fresh.param_groups[0]["lr"] = 5.0
    weights = net[0].weight.clone()
    step(net, fresh, 1)
    assert not calls
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert not torch.equal(weights, net[0].weight)
    assert all(torch.equal(value, optimizer.state[net[0].weight][key]) for key, value in before.items())
