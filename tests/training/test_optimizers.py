"""The optimizers are torch's to the bit, and start without loading torch's compiler."""

import subprocess
import sys

import pytest
import torch

from thalweg.training.optimizers import make_optimizer, set_rate

TORCHS = {
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.1, fused=True),
    "adamw": lambda weights: torch.optim.AdamW(weights, lr=0.1, betas=(0.9, 0.99), weight_decay=0.02, fused=True),
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.02, fused=True),
}


def trained(make: object) -> torch.Tensor:
    torch.manual_seed(0)
    network = torch.nn.Linear(5, 3, bias=False)
    optimizer = make(network)  # type: ignore[operator]
    for _ in range(4):
        optimizer.zero_grad(set_to_none=True)
        network(torch.ones(2, 5)).square().sum().backward()
        optimizer.step()
    return network.weight.detach()


@pytest.mark.parametrize("name", TORCHS)
def test_updates_are_torchs_to_the_bit(name: str) -> None:
    decay = 0.0 if name == "adam" else 0.02
    ours = trained(lambda net: make_optimizer(net, name, learning_rate=0.1, weight_decay=decay))  # type: ignore[arg-type]
    theirs = trained(lambda net: TORCHS[name](net.parameters()))
    assert torch.equal(ours, theirs)


def test_hooks_and_closures_work_as_in_torch() -> None:
    network, seen = torch.nn.Linear(2, 1), []
    optimizer = make_optimizer(network, "adamw", learning_rate=0.1, weight_decay=0.0)
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    set_rate(optimizer, 0.2)

    def closure() -> float:
        loss = network(torch.ones(1, 2)).sum()
        loss.backward()
        return float(loss.detach())

    assert isinstance(optimizer.step(closure), float)
    assert seen == ["after"]
    assert optimizer.param_groups[0]["lr"] == 0.2


def test_no_compiler_is_loaded_and_one_that_is_loaded_later_hides_the_methods() -> None:
    program = """
import sys, torch
from thalweg.networks.catalogue import network
from thalweg.core.shape import Shape
from thalweg.modules.build import build
from thalweg.training.optimizers import make_optimizer
net = build(network("small", Shape(3, (32, 32)), 2).logits()[0], seed=1)
machine = make_optimizer(net, "adamw", learning_rate=0.1, weight_decay=0.1)
net(torch.zeros(2, 3, 32, 32)).sum().backward()
machine.step(); machine.zero_grad()
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
import torch._dynamo
plain = torch.optim.Optimizer.zero_grad.__wrapped__
mine = plain.__dynamo_disable
machine.zero_grad()
print(plain.__dynamo_disable is not mine)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "True"]
