"""What two ranks tell each other, over lines of their own and through gloo: the same, to the bit."""

import datetime as dt
import json
import os
import time

import pytest
import torch

from thalweg.core.errors import RanksPartedError
from thalweg.training import meeting as meeting_module
from thalweg.training import ranks as ranks_module
from thalweg.training.gradients import GradientSum
from thalweg.training.meeting import joined
from thalweg.training.rank_layers import of_the_whole_batch, spread_layers

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="ranks are forked")


def network():
    torch.manual_seed(0)
    made = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten(), torch.nn.Linear(8 * 36, 2, bias=False))
    return made.to(memory_format=torch.channels_last)


def batch():
    torch.manual_seed(1)
    return torch.randn(6, 3, 8, 8).contiguous(memory_format=torch.channels_last)


NORMALISED = {"signals": (5, 9), "pictures": (4, 6, 6), "volumes": (3, 4, 4, 4)}
"""Samples that are normalised over both ranks by torch's operations; test_ranks.py has those of compiled kernels."""


def normalised(kind):
    """A layer, and a batch whose samples differ much, so that no rank's own statistics are those of the whole."""
    torch.manual_seed(2)
    shape = NORMALISED[kind]
    layer = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm2d, 4: torch.nn.BatchNorm3d}[len(shape)](shape[0])
    samples = torch.randn(6, *shape) + torch.arange(6.0).reshape(6, *[1] * len(shape))
    return layer, samples


def passed(layer, samples):
    """What a layer makes of samples, the gradient of a loss there, and what it keeps."""
    samples = samples.clone().requires_grad_()
    out = layer(samples)
    out.pow(3).sum().backward()
    return out.detach(), samples.grad


def on_two_ranks(folder, in_ranks, *, lines):
    """What each rank comes to."""

    def work(rank):
        torch.set_num_threads(1)
        if not lines:
            ranks_module.connected = lambda *_: None
        with joined("cpu") as ranks:
            net, own, found = network(), batch()[2 * rank : 2 + 4 * rank], GradientSum(ranks)
            gradients = []
            for frozen in (False, True):  # a layer that learns no longer leaves the sum
                net[0].requires_grad_(not frozen)
                for each in net.parameters():
                    each.grad = None
                net(own).square().sum().backward()
                found.add(net.parameters())
                gradients.append([None if each.grad is None else each.grad.clone() for each in net.parameters()])
                next(iter(net.parameters())).grad = None
            spread = {}
            for kind in NORMALISED:
                layer, samples = normalised(kind)
                spread_layers(layer)
                own = slice(2 * rank, 2 + 4 * rank)
                with of_the_whole_batch(own.start, own.stop, 6, ranks=ranks):
                    parts = passed(layer, samples[own])
                GradientSum(ranks).add(layer.parameters())
                every = [*parts, layer.weight.grad, layer.bias.grad, layer.running_mean, layer.running_var]
                spread[kind] = [each.tolist() for each in every]
            told = {
                "normalised": spread,
                "lines": ranks._lines is not None,
                "total": ranks.total([0.1 + rank, float("inf") * rank if rank else -2.0]),
                "agree": ranks.agree(1.5 if rank == 0 else 99.0, 15 * rank),
                "exchange": ranks.exchange(torch.tensor([[rank, 7]])).tolist(),
                "gradients": [[None if g is None else g.tolist() for g in each] for each in gradients],
                "order": [g.stride() == p.stride() for g, p in zip(gradients[0], net.parameters(), strict=True)],
            }
        (folder / f"{lines}-{rank}.json").write_text(json.dumps(told))

    assert in_ranks(2, work) == [0, 0]
    return [json.loads((folder / f"{lines}-{rank}.json").read_text()) for rank in range(2)]


@pytest.fixture(scope="module")
def told(script, tmp_path_factory):
    folder, in_ranks = tmp_path_factory.mktemp("told"), script("world_size").in_ranks
    return {lines: on_two_ranks(folder, in_ranks, lines=lines) for lines in (True, False)}


def test_ranks_of_one_machine_have_lines(told):
    assert [each["lines"] for way in (True, False) for each in told[way]] == [True, True, False, False]


@pytest.mark.parametrize("lines", [True, False])
def test_all_ranks_are_told_the_same(told, lines):
    one, other = ({name: each[name] for name in each if name != "normalised"} for each in told[lines])
    assert one == other
    assert one["total"] == [0.1 + 1.1, float("inf")]
    assert one["agree"] == [1.5, 15]
    assert one["exchange"] == [[[0, 7]], [[1, 7]]]


def test_two_ranks_come_to_the_same_bits_with_lines_and_without(told):
    with_lines, without = (told[way][0] for way in (True, False))
    assert {**with_lines, "lines": None} == {**without, "lines": None}


def test_the_sum_is_the_gradient_of_the_whole_batch_in_the_memory_order_of_the_weights(told):
    net = network()
    net(batch()).square().sum().backward()
    found = told[True][0]
    for weight, own in zip(net.parameters(), found["gradients"][0], strict=True):
        assert torch.allclose(torch.tensor(own), weight.grad, rtol=1e-4, atol=1e-4)
    assert found["order"] == [True, True, True]
    assert [each is None for each in found["gradients"][1]] == [True, True, False]


@pytest.mark.parametrize("kind", NORMALISED)
def test_a_batch_on_two_ranks_is_normalised_as_one(told, kind):
    layer, samples = normalised(kind)
    whole = passed(layer, samples)
    kept = [layer.weight.grad, layer.bias.grad, layer.running_mean, layer.running_var]
    first, second = (each["normalised"][kind] for each in told[True])
    for place, wanted in enumerate(whole):
        found = torch.tensor(first[place] + second[place])
        assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-4), kind
    for place, wanted in enumerate(kept, 2):
        assert first[place] == second[place]
        assert torch.allclose(torch.tensor(first[place]), wanted, rtol=1e-4, atol=1e-4), kind


def test_who_does_not_answer_during_training_is_lost_and_who_reads_pictures_is_waited_for(script, tmp_path):
    def work(rank):
        meeting_module.TIMEOUT = dt.timedelta(seconds=3)
        with joined("cpu") as ranks:
            if rank == 0:
                time.sleep(4)
            patient = ranks.words(str(rank))
            said = ""
            if rank == 0:
                time.sleep(5)
            else:
                try:
                    ranks.gather({"own": torch.ones(1)})
                except RanksPartedError as error:
                    said = str(error)
            (tmp_path / f"said-{rank}").write_text(json.dumps([patient, said]))
            os._exit(0)  # rank 0 has missed the others

    script("world_size").in_ranks(2, work)
    assert json.loads((tmp_path / "said-0").read_text()) == [["0", "1"], ""]
    patient, said = json.loads((tmp_path / "said-1").read_text())
    assert patient == ["0", "1"]
    assert said.startswith("rank 1 of 2 lost another rank (Timed out")
