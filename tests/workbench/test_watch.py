"""`thalweg.watch` in a strange loop: two lines, a log that can be diagnosed, and repair on request."""

import gc
import logging
import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional

import thalweg
from thalweg.core.errors import PlanError
from thalweg.core.intervention import Intervention
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.workbench.watch import live_line


def loop(model, optimizer, *, steps=40, loss=functional.cross_entropy):
    generator = torch.Generator().manual_seed(3)
    teacher = torch.randn(8, 3, generator=generator)
    for _ in range(steps):
        x = torch.randn(16, 8, generator=generator)
        optimizer.zero_grad()
        loss(model(x), (x @ teacher).argmax(1)).backward()
        optimizer.step()


def parts(rate=0.1):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    return model, torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)


@pytest.mark.parametrize(("rate", "verdict"), [(1e-6, "too_low"), (0.1, "about_right"), (100.0, "too_high")])
def test_two_lines_give_a_verdict_and_findings(rate, verdict):
    model, optimizer = parts(rate)
    watching = thalweg.watch(model, optimizer)
    loop(model, optimizer)
    assert watching.verdict().verdict == verdict
    names = [finding.name for finding in watching.findings()]
    assert (f"learning_rate_{verdict}" in names) is (verdict != "about_right")
    assert watching.line().startswith("learning rate ")
    watching.step(1.0)
    watching.close()
    watching.close()
    assert watching.steps == 40


def test_repair_sets_a_wrong_rate_right_and_says_so():
    model, optimizer = parts(100.0)
    with thalweg.watch(model, optimizer, repair=True, steps=160) as watching:
        loop(model, optimizer, steps=160)
        assert watching.interventions
        assert watching.history().events[0].message == watching.interventions[0].message
        assert "too high: " in watching.line()
        assert watching.instruments.record.recent("batch_loss", 1)[0] < 1.0
    assert optimizer.param_groups[0]["lr"] == 100.0  # the user's own value is left


def test_the_log_is_a_run_that_can_be_diagnosed(tmp_path):
    model, optimizer = parts(1e-6)
    log = tmp_path / "steps.csv"
    with thalweg.watch(model, optimizer, log=log):
        loop(model, optimizer, steps=120)
    (run,) = thalweg.diagnose(log).results
    assert run.learning_rate.verdict == "too_low"
    assert run.history.network.loss == "cross_entropy"
    assert any(signal.subject == "0" for signal in run.history.signals)
    (run,) = thalweg.diagnose(tmp_path).results  # the measurements are no log of their own
    assert run.learning_rate.verdict == "too_low"


def test_watching_again_ends_the_first_watch_and_another_loss_is_told_in_a_line(caplog):
    model, optimizer = parts()
    first = thalweg.watch(model, optimizer)
    second = thalweg.watch(model, optimizer)
    assert not first.seat.taken
    with caplog.at_level(logging.WARNING, logger="thalweg"):
        loop(model, optimizer, loss=lambda z, y: functional.cross_entropy(torch.sin(z), y))
        thalweg.watch(model, [optimizer, torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)]).close()
    assert second.steps == 40
    assert [record.getMessage()[:40] for record in caplog.records] == [
        "thalweg sees the numbers of this loop's ",
        "thalweg watches one of 2 optimizers: the",
    ]


def test_a_loss_without_a_backward_pass_of_its_own_is_told_in_a_line(caplog):
    model, optimizer = parts()
    watching = thalweg.watch(model, optimizer)
    with caplog.at_level(logging.WARNING, logger="thalweg"):
        for _ in range(25):
            found = torch.autograd.grad(torch.sin(model(torch.randn(4, 8))).abs().mean(), [*model.parameters()])
            for weight, gradient in zip(model.parameters(), found, strict=True):
                weight.grad = gradient
            optimizer.step()
    assert watching.history().signal("batch_loss") is None
    assert [record.getMessage()[:40] for record in caplog.records] == ["thalweg cannot see the loss of this loop"]


@pytest.mark.parametrize("repair", [False, True])
def test_what_the_user_drops_is_freed_and_its_log_is_whole(tmp_path, repair):
    log = tmp_path / "steps.csv"
    model, optimizer = parts()
    thalweg.watch(model, optimizer, repair=repair, log=log)
    loop(model, optimizer, steps=7)
    gone = weakref.ref(model)
    del model, optimizer
    gc.collect()
    assert gone() is None
    assert len(log.read_text().splitlines()) == 1 + 7


def test_the_live_line_names_the_last_repair():
    made = Intervention.made(step=40, kind="roll_back", reason="the loss rose", before=0.6, after=0.1, back=40)
    line = live_line(0.1, LearningRateEstimate(verdict="undetermined"), [made])
    assert line.startswith("6x too high: rolled back 40 steps")


def test_a_watch_that_cannot_begin_says_why_and_leaves_no_hook(tmp_path):
    model, optimizer = parts()
    refused = [
        ({"log": tmp_path / "nowhere" / "steps.csv"}, "cannot be written: No such file"),
        ({"steps": 0}, "steps is 0: a number of updates, 1 or more"),
        ({"every": -1}, "every is -1"),
    ]
    for options, why in refused:
        with pytest.raises(PlanError, match=why):
            thalweg.watch(model, optimizer, **options)
    with pytest.raises(PlanError, match=r"watch takes the torch.nn.Module that the loop calls, not a function"):
        thalweg.watch(loop, optimizer)
    assert not model._forward_hooks
    assert not optimizer._optimizer_step_pre_hooks
    assert not nn.modules.module._has_any_global_hook()


def test_a_model_that_is_never_called_is_said_and_layers_of_another_optimizer_are_no_finding(caplog):
    torch.manual_seed(0)
    one, other = nn.Sequential(nn.Linear(8, 16), nn.ReLU()), nn.Linear(16, 3)
    optimizers = {"one": torch.optim.SGD(one.parameters(), 0.1), "other": torch.optim.SGD(other.parameters(), 0.1)}
    watching = thalweg.watch(nn.ModuleList([one, other]), optimizers)
    for _ in range(40):
        x = torch.randn(16, 8)
        for each in optimizers.values():
            each.zero_grad()
        functional.cross_entropy(other(one(x)), x[:, :3].argmax(1)).backward()
        for each in optimizers.values():
            each.step()
    assert not [finding for finding in watching.findings() if finding.severity != "info"]
    assert [record.getMessage()[:45] for record in caplog.records] == [
        "thalweg watches one of 2 optimizers: the SGD ",
        "thalweg sees updates and no call of this mode",
    ]


def test_a_rate_that_moves_small_weights_far_while_the_loss_falls_is_no_finding():
    torch.manual_seed(0)
    model = nn.Linear(8, 3, bias=False)
    nn.init.normal_(model.weight, std=0.02)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    watching = thalweg.watch(model, optimizer)
    loop(model, optimizer)
    assert max(watching.instruments.record.recent("batch_update_ratio", 99, "Linear")[:3]) > 0.15
    assert not [finding for finding in watching.findings() if finding.severity != "info"]
