"""Callbacks driven as their libraries drive them, by look-alikes; and by the libraries themselves where installed."""

import copy
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

import thalweg
from thalweg.core.errors import PlanError
from thalweg.integrations import keras, lightning, transformers
from thalweg.integrations.keras_seat import seat_on, tell_losses
from thalweg.integrations.stand_in import StandIn
from thalweg.integrations.watching import Watching, loaded

X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
Y = X.argmax(1)


def network(*end):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 6), *end)


def step(model, optimizer):
    optimizer.zero_grad()
    functional.cross_entropy(model(X), Y).backward()
    optimizer.step()


@pytest.fixture
def library(monkeypatch):
    """Puts a look-alike of a library into the interpreter, and takes what was made of it away again."""

    def put(name, **content):
        for part in (name.partition(".")[0], name):
            module = ModuleType(part)
            monkeypatch.setitem(sys.modules, part, module)
        vars(module).update(content)

    for room in (keras, lightning, transformers):
        room._callback_class.cache_clear()
    yield put
    for room in (keras, lightning, transformers):
        room._callback_class.cache_clear()


def test_a_missing_library_is_said_in_a_line():
    with pytest.raises(PlanError, match=r"^no_such_library is not installed: pip install it$"):
        loaded("no_such_library.part", install="it")
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        lightning.Other  # noqa: B018 - asking is the test


def test_findings_are_told_at_the_end_and_a_failing_watch_ends_no_training(monkeypatch):
    told = []
    watching, model = Watching(say=told.append), network(nn.Softmax(dim=1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    watching.begin(model, optimizer)
    for _ in range(5):
        step(model, optimizer)
    watching.end()
    assert told[0].startswith("thalweg: error wrong_head_or_loss: softmax twice")

    def broken(*_, **__):
        raise ValueError("no")

    monkeypatch.setattr(thalweg, "watch", broken)
    other = Watching(say=told.append)
    other.begin(model, optimizer)
    other.end()
    assert (other.watch, other.findings()) == (None, ())


def test_a_stand_in_shares_groups_and_calls_hooks_once_an_update():
    real = torch.optim.AdamW([torch.zeros(1)], lr=0.5)
    stand_in, seen = StandIn.of(real), []
    stand_in.register_step_pre_hook(lambda *_: seen.append("before"))
    handle = stand_in.register_step_post_hook(lambda *_: seen.append("after"))
    stand_in.end()
    stand_in.begin()
    stand_in.end()
    stand_in.end()
    handle.remove()
    stand_in.begin()
    stand_in.end()
    assert seen == ["before", "after", "before"]
    assert isinstance(copy.copy(stand_in), torch.optim.AdamW)
    assert stand_in.param_groups is real.param_groups
    assert (type(stand_in).__name__, stand_in.defaults["lr"]) == ("AdamW", 0.5)


def through_lightning(callback, root, optimizer, outputs, *, steps):
    """What Lightning does: it hands the optimizer a closure that calls back before the step."""
    trainer = SimpleNamespace(optimizers=[optimizer], estimated_stepping_batches=steps)
    callback.on_train_start(trainer, root)

    def closure():
        optimizer.zero_grad()
        loss = functional.cross_entropy(outputs(), Y)
        loss.backward()
        callback.on_before_optimizer_step(trainer, root, optimizer)
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    callback.on_train_end(trainer, root)


def test_lightning_hands_the_optimizer_a_closure(library):
    library("lightning.pytorch.callbacks", Callback=object)
    told = []
    callback = lightning.ThalwegCallback(say=told.append)
    callback.log = print  # as Lightning does
    root = nn.ModuleDict({"net": network(nn.Softmax(dim=1)), "small": nn.Linear(2, 2)})
    optimizer = torch.optim.SGD(root.parameters(), 0.1)

    def outputs():
        root["small"](torch.zeros(1, 2))  # called first, but holds hardly any weights
        return root["net"](X)

    through_lightning(callback, root, optimizer, outputs, steps=4)
    assert callback.watch.steps == 4
    assert callback.watch.history().network.loss == "cross_entropy"
    assert "softmax twice" in told[0]
    assert not root["net"]._forward_pre_hooks


def test_transformers_gives_model_and_optimizer_at_the_start(library):
    library("transformers", TrainerCallback=object)
    told, model = [], network(nn.Softmax(dim=1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    callback = transformers.ThalwegCallback(say=told.append)
    callback.on_train_begin(None, SimpleNamespace(max_steps=3), None, model=model, optimizer=optimizer)
    for _ in range(3):
        step(model, optimizer)
    callback.on_train_end(None, None, None)
    assert callback.watch.steps == 3
    assert "softmax twice" in told[0]


def test_trials_are_made_beside_a_training_that_goes_on_to_the_bit_and_speak_in_its_verdict(library):
    library("transformers", TrainerCallback=object)

    def trained(**options):
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), 1e-4)
        callback = transformers.ThalwegCallback(say=lambda _: None, **options)
        callback.on_train_begin(None, SimpleNamespace(max_steps=40), None, model=model, optimizer=optimizer)
        for _ in range(40):
            step(model, optimizer)
        callback.on_train_end(None, None, None)
        return callback.watch, torch.cat([each.flatten() for each in model.parameters()])

    plain, before = trained()
    tried, after = trained(trials=True)
    assert torch.equal(before, after)
    assert (plain.spent, tried.spent > 30) == (0.0, True)
    assert "trials of 10 steps" in tried.verdict().reason


def test_lightnings_closure_leaves_trials_their_place(library):
    library("lightning.pytorch.callbacks", Callback=object)
    callback = lightning.ThalwegCallback(say=lambda _: None, trials=True)
    root = nn.ModuleDict({"net": network()})
    optimizer = torch.optim.Adam(root.parameters(), 1e-4)
    through_lightning(callback, root, optimizer, lambda: root["net"](X), steps=40)
    assert callback.watch.spent > 30
    assert "trials of 10 steps" in callback.watch.verdict().reason


def test_keras_says_that_it_makes_no_trials(library, caplog):
    library("keras.callbacks", Callback=object)
    sys.modules["keras"].__dict__.update(
        backend=SimpleNamespace(backend=lambda: "torch"), callbacks=sys.modules["keras.callbacks"]
    )
    callback = keras.ThalwegCallback(trials=True, repair=True, say=lambda _: None)
    assert [record.getMessage() for record in caplog.records] == [
        "thalweg only measures here: it cannot try steps of a Keras optimizer"
    ]
    model = KerasLike()
    model.built = True
    callback.model, callback.params = model, {"steps": 2, "epochs": 1}
    callback.on_train_begin()
    for _ in range(2):
        model.train_step()
    callback.on_train_end()
    assert (callback.watch.steps, callback.watch.spent) == (2, 0.0)


class KerasLikeOptimizer:
    learning_rate = 0.1

    def apply(self, gradients, variables):
        with torch.no_grad():
            for gradient, variable in zip(gradients, variables, strict=True):
                variable.value -= self.learning_rate * gradient


class KerasLike(nn.Module):
    """Calls itself past torch's hooks, as Keras does."""

    def __init__(self):
        super().__init__()
        self.net = network()
        self.trainable_variables = [SimpleNamespace(value=each) for each in self.net.parameters()]
        self.optimizer = KerasLikeOptimizer()

    def call(self, x):
        return self.net(x)

    def _compile_loss(self, y, y_pred, _):
        return functional.cross_entropy(y_pred, y)

    def compute_loss(self, **given):
        return self._compile_loss(given["y"], given["y_pred"], None)

    def train_step(self):
        self.zero_grad()
        loss = self.compute_loss(x=X, y=Y, y_pred=self.call(X), sample_weight=None)
        loss.backward()
        self.optimizer.apply([each.value.grad for each in self.trainable_variables], self.trainable_variables)
        return float(loss.detach())


def test_keras_is_led_past_the_seat_and_put_back():
    plain, model = KerasLike(), KerasLike()
    shell, stand_in, undo = seat_on(model)
    with thalweg.watch(shell, stand_in) as watching:
        undo.append(tell_losses(model, watching.seat))
        seen = [model.train_step() for _ in range(6)]
    for each in undo:
        each()
    assert seen == [plain.train_step() for _ in range(6)]
    losses = [each for each in watching.history().signals if each.name == "batch_loss"]
    assert losses[0].values == pytest.approx(seen)
    assert not {"call", "compute_loss"} & set(vars(model))
    assert "apply" not in vars(model.optimizer)
    assert watching.steps == 6


def test_with_lightning_itself():
    library = pytest.importorskip("lightning.pytorch", reason="Lightning is not installed")

    class Module(library.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network(nn.Softmax(dim=1))

        def training_step(self, batch, _):
            return functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-3)

    told = []
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=16)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    library.Trainer(
        max_epochs=2, accelerator="cpu", callbacks=[lightning.ThalwegCallback(say=told.append)], **quiet
    ).fit(Module(), data)
    assert "softmax twice" in told[0]
