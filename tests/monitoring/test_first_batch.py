"""The first batch tells the loss, the labels and the order of layers, by module or by the gradient alone."""

import copy
import gc
import pickle
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from thalweg.monitoring.facts import output_form
from thalweg.monitoring.first_batch import FirstBatch


def hot(labels):
    return functional.one_hot(labels, 10).float()


def net(*end, width=10):
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, width), *end)


def look(network, loss, labels=None):
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    watcher = FirstBatch(network)
    loss(network(torch.randn(32, 20)), torch.randint(0, 10, (32,)) if labels is None else labels).backward()
    watcher.before_update(SimpleNamespace(module=network, optimizer=optimizer))
    return watcher.facts


torch.manual_seed(0)  # else what was imported before decides the weights, and now and then all outputs lie in 0..1
CASES = [
    (net(), nn.CrossEntropyLoss(), ("cross_entropy", "", "scores", "classes")),
    (net(), functional.cross_entropy, ("cross_entropy", "", "scores", "classes")),
    (net(nn.Softmax(1)), functional.cross_entropy, ("cross_entropy", "softmax", "probabilities", "classes")),
    (net(nn.Softmax(1)), lambda z, y: functional.nll_loss((z / z.sum(1, keepdim=True)).log(), y),
     ("log_of_probabilities", "softmax", "probabilities", "classes")),
    (net(nn.Softmax(1)), lambda z, y: functional.nll_loss(z.log(), y),
     ("log_of_probabilities", "softmax", "probabilities", "classes")),
    (net(), functional.nll_loss, ("nll", "", "scores", "classes")),
    (net(nn.LogSoftmax(1)), functional.nll_loss, ("nll", "log_softmax", "log_probabilities", "classes")),
    (net(), lambda z, y: functional.mse_loss(z, hot(y)), ("mean_squared_error", "", "scores", "one_hot")),
    (net(nn.Softmax(1)), lambda z, y: functional.mse_loss(z, hot(y)),
     ("mean_squared_error", "softmax", "probabilities", "one_hot")),
    (net(nn.Softmax(1)), lambda z, y: functional.l1_loss(z, hot(y)),
     ("mean_absolute_error", "softmax", "probabilities", "")),
    (net(nn.Softmax(1)), lambda z, y: functional.binary_cross_entropy(z, hot(y)),
     ("binary_cross_entropy", "softmax", "probabilities", "one_hot")),
    (net(width=1), lambda z, y: functional.cross_entropy(z, 0 * y), ("cross_entropy", "", "scores", "")),
    (net(width=1), lambda z, y: nn.MSELoss()(z[:, 0], y.float()), ("mean_squared_error", "", "scores", "numbers")),
]  # fmt: skip


@pytest.mark.parametrize(("network", "loss", "wanted"), CASES, ids=[str(case[2]) for case in CASES])
def test_the_loss_is_told_by_its_module_or_its_gradient(network, loss, wanted):
    facts = look(network, loss)
    assert (facts.loss, facts.output_activation, facts.output_form, facts.targets) == wanted
    assert facts.batch_size == 32


def test_layers_come_in_the_order_of_the_call_with_what_follows_them():
    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.act, self.first = nn.Linear(30, 10), nn.Tanh(), nn.Linear(20, 30)

        def forward(self, x):
            return self.head(self.act(self.first(x)))

    facts = look(Crossed(), functional.cross_entropy)
    assert [layer.name for layer in facts.layers] == ["first", "act", "head"]
    assert [layer.activation for layer in facts.weighted] == ["tanh", ""]


def test_hooks_are_gone_after_the_first_update():
    network, before = net(), set(torch.nn.modules.module._global_forward_hooks)  # other tests may have left theirs
    look(network, functional.cross_entropy)
    assert not any(module._forward_hooks for module in network.modules())
    assert set(torch.nn.modules.module._global_forward_hooks) <= before


def test_weights_look_fresh_until_they_have_learned():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    nn.init.kaiming_normal_(network[2].weight)
    fresh = look_wide(network)
    assert [layer.fresh for layer in fresh.weighted] == [True, True]
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    x, y = torch.randn(256, 64), torch.randint(0, 10, (256,))
    for _ in range(60):
        optimizer.zero_grad()
        functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    assert [layer.fresh for layer in look_wide(network).weighted] == [False, False]


def look_wide(network):
    watcher = FirstBatch(network)
    functional.cross_entropy(network(torch.randn(32, 64)), torch.randint(0, 10, (32,))).backward()
    watcher.before_update(
        SimpleNamespace(module=network, optimizer=torch.optim.AdamW(network.parameters(), weight_decay=0.3))
    )
    assert (watcher.facts.weight_decay, watcher.facts.decoupled_decay) == (0.3, True)
    return watcher.facts


def test_what_is_frozen_or_forgotten_is_told_apart():
    network = net()
    network[0].requires_grad_(requires_grad=False)
    optimizer = torch.optim.SGD(network[0].parameters(), lr=0.1)
    watcher = FirstBatch(network)
    functional.cross_entropy(network(torch.randn(8, 20)), torch.arange(8)).backward()
    watcher.before_update(SimpleNamespace(module=network, optimizer=optimizer))
    first, head = watcher.facts.weighted
    assert (first.trainable, first.optimised, head.trainable, head.optimised) == (False, True, True, False)


def test_no_hook_is_left_by_copies_and_by_loops_that_end_before_a_gradient_comes_back():
    hooks = torch.nn.modules.module._global_forward_hooks
    before = len(hooks)
    network = net()
    watcher = FirstBatch(network)
    copied = copy.deepcopy(network)
    copied(torch.randn(8, 20))
    assert len(hooks) == before
    assert pickle.loads(pickle.dumps(network))(torch.randn(8, 20)).shape == (8, 10)  # noqa: S301 - our own
    network(torch.randn(8, 20))
    assert len(hooks) == before + 1
    del network, copied, watcher
    gc.collect()
    assert len(hooks) == before


def test_outputs_that_are_the_same_for_all_samples_have_no_form():
    alike = torch.tensor([[0.1, 0.2, 0.3, 0.1]]).repeat(16, 1)
    assert output_form(alike) == "scores"
    assert output_form(torch.rand(16, 4)) == "unit_interval"
