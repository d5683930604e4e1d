"""A hook that keeps nobody alive, survives no copy, and lets no error into the training it watches."""

import copy
import gc
import pickle
import weakref

import pytest
import torch
from torch import nn

from thalweg.monitoring.measures_layers import Passing
from thalweg.monitoring.record import Record
from thalweg.monitoring.weak_hook import WeakHook


class Owner:
    def __init__(self, error=None):
        self.error, self.calls, self.closed = error, [], False

    def seen(self, name, *_):
        self.calls.append(name)
        if self.error:
            raise self.error

    def close(self):
        self.closed = True


def watched(owner):
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(WeakHook(weakref.ref(owner), "seen", "here"))
    return layer


def test_an_error_ends_the_looking_and_not_the_call():
    owner = Owner(RuntimeError("odd"))
    assert watched(owner)(torch.ones(1, 2)).shape == (1, 2)
    assert owner.closed
    asked = Owner(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        watched(asked)(torch.ones(1, 2))


def pickled(layer):
    return pickle.loads(pickle.dumps(layer))  # noqa: S301 - made here


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, pickled])
def test_in_a_copy_it_is_nothing(copied):
    owner = Owner()
    layer = watched(owner)
    twin = copied(layer)
    if twin._forward_hooks is not layer._forward_hooks:
        twin(torch.ones(1, 2))
        assert owner.calls == []
    layer(torch.ones(1, 2))
    assert owner.calls == ["here"]


def test_whoever_is_gone_is_not_called():
    owner = Owner()
    layer, calls = watched(owner), owner.calls
    del owner
    gc.collect()
    layer(torch.ones(1, 2))
    assert calls == []


class Squeezed(nn.Module):
    """Rectifies a vector, as networks of one output do, and a single number."""

    def __init__(self):
        super().__init__()
        self.rectify, self.last = nn.ReLU(), nn.ReLU()

    def forward(self, values):
        return self.last(self.rectify(values.squeeze(1)).sum())


@pytest.mark.parametrize(("values", "dead"), [([[1.0], [-1.0]], 0.0), ([[-1.0], [-1.0]], 1.0)])
def test_a_rectified_vector_is_one_unit(values, dead):
    record, net = Record(), Squeezed()
    passing = Passing(net, record)
    passing.start()
    net(torch.tensor(values))
    assert passing.on
    passing.tell(1)
    record.settle()
    told = {(each.name, each.subject): list(each.values) for each in record.signals()}
    assert told["batch_dead_fraction", "rectify"] == [dead]
    assert ("batch_dead_fraction", "last") not in told
