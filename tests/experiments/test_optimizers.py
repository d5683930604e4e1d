import pytest
import torch

from thalweg.core.errors import PlanError
from thalweg.experiments.optimizers import (
    OPTIMIZERS,
    OptimizerChoice,
    make_lab_optimizer,
    predicted_bytes,
    state_bytes,
)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_memory_is_predicted_to_the_byte(name):
    module = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 3), torch.nn.Flatten(), torch.nn.Linear(12, 5))
    optimizer = make_lab_optimizer(module, OptimizerChoice(name=name, rate=0.01))
    if hasattr(optimizer, "train"):
        optimizer.train()
    before = [weight.detach().clone() for weight in module.parameters()]
    module(torch.ones(4, 2, 6)).square().mean().backward()
    optimizer.step()
    assert state_bytes(optimizer) == predicted_bytes(module, name)
    assert all(not torch.equal(weight, old) for weight, old in zip(module.parameters(), before, strict=True))


def test_settings_reach_torch_and_unknown_names_are_refused():
    module = torch.nn.Linear(2, 2)
    made = make_lab_optimizer(module, OptimizerChoice(name="SGD with momentum", rate=0.1, settings={"momentum": 0.5}))
    assert made.param_groups[0]["momentum"] == 0.5
    with pytest.raises(PlanError, match="there is no optimizer 'Newton' here"):
        make_lab_optimizer(module, OptimizerChoice(name="Newton", rate=0.1))
