"""The loop: exact resumption, clean stops, deadlines, best epochs, and runs that fail."""

import dataclasses
import signal

import numpy as np
import pytest
import torch

from thalweg.core.errors import RunError, TrainingFailedError
from thalweg.core.plan import Augmentation
from thalweg.data.batching.batches import Batches
from thalweg.training.checkpoint import save_weights
from thalweg.training.device import Device
from thalweg.training.interruption import Interruption
from thalweg.training.loop import Trainer
from thalweg.training.progress import Recipe
from thalweg.training.unfreezing import Part

RECIPE = Recipe(
    epochs=4,
    deadline_seconds=None,
    learning_rate=0.01,
    optimizer="adamw",
    weight_decay=0.01,
    warmup=0.1,
    smoothing=0.05,
    weights=None,
    average=0.9,
    patience=0,
    stages=(1.0,),
    side=16,
    seed=3,
)


def pictures(count=30):
    random = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = random.integers(0, 120, (count, 16, 16, 3), dtype=np.uint8)
    pixels[labels == 1, :, :, 0] += 90
    return pixels, labels


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=2),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Dropout(0.3),
        torch.nn.Linear(4, 1),
    )


def ignore(progress):
    del progress


def trainer(folder, recipe=RECIPE, observer=ignore, module=None):
    folder.mkdir(exist_ok=True)
    pixels, labels = pictures()
    rows = np.arange(len(labels))
    batches = Batches(pixels, rows[:22], labels[:22], batch_size=8, seed=3, augmentation=Augmentation())
    heldout = Batches(pixels, rows[22:], labels[22:], batch_size=8)
    rows_logged = []
    made = Trainer(
        module or network(),
        recipe,
        train=batches,
        heldout=heldout,
        device=Device("cpu", None),
        folder=folder,
        observer=observer,
        log_steps=rows_logged.extend,
    )
    made.logged = rows_logged
    return made


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def curves(outcome):
    timed = {"seconds", "images_per_second"}
    return [{key: value for key, value in row.items() if key not in timed} for row in outcome.rows]


@pytest.mark.parametrize("pretrained", [False, True])
def test_a_few_steps_give_statistics_to_evaluate_with_but_pretrained_ones_are_kept(tmp_path, pretrained):
    module = network()
    module[1].momentum = 0.01
    parts = (Part(parameters=tuple(name for name, _ in module.named_parameters()), share=1.0),)
    recipe = dataclasses.replace(RECIPE, learning_rate=1e-5, average=0.0, parts=parts if pretrained else ())
    made = trainer(tmp_path / "run", recipe, module=module)
    made.fit()
    seen = pictures()[0][:22].transpose(0, 3, 1, 2)
    with torch.no_grad():
        real = module[0](torch.tensor(seen, dtype=torch.float32)).mean((0, 2, 3))
    missing = (module[1].running_mean - real).norm() / real.norm()
    assert missing > 0.7 if pretrained else missing < 0.3


def stopping_at(step):
    interruption = Interruption()

    def watch(progress):
        if progress.row is None and watch.trainer.state.step == step:
            interruption.signum = signal.SIGINT

    return interruption, watch


@pytest.mark.parametrize(("optimizer", "step"), [("adam", 1), ("adamw", 3), ("sgd", 7), ("adamw", 8)])
def test_a_run_stopped_at_any_step_goes_on_to_the_same_bits(tmp_path, optimizer, step):
    # steps 3 and 12 end an epoch; the pictures grow in the middle of the third one
    recipe = dataclasses.replace(RECIPE, optimizer=optimizer, stages=(0.5, 0.5, 1.0), side=32)
    whole = trainer(tmp_path / "whole", recipe)
    straight = whole.fit()
    interruption, watch = stopping_at(step)
    first = watch.trainer = trainer(tmp_path / "cut", recipe, watch)
    assert first.fit(interruption).interrupted == 130
    assert first.state.step == step
    second = trainer(tmp_path / "cut", recipe)
    assert second.resume() == []
    rest = second.fit()
    assert same(whole.module, second.module)
    assert same(whole.evaluated, second.evaluated)
    assert curves(rest) == curves(straight)
    timeless = [row[:-1] for row in first.logged + second.logged]
    assert timeless == [row[:-1] for row in whole.logged]
    assert rest.best_epoch == straight.best_epoch


def test_two_runs_with_one_seed_are_equal_and_another_seed_is_not(tmp_path):
    one, two = trainer(tmp_path / "1"), trainer(tmp_path / "2")
    one.fit()
    two.fit()
    assert same(one.evaluated, two.evaluated)
    other = trainer(tmp_path / "3", dataclasses.replace(RECIPE, seed=4))
    other.fit()
    assert not same(one.evaluated, other.evaluated)


def test_a_damaged_checkpoint_is_passed_over_and_said(tmp_path):
    interruption, watch = stopping_at(5)
    first = watch.trainer = trainer(tmp_path, RECIPE, watch)
    first.fit(interruption)
    first._checkpoint()
    first.state.step += 1
    first._checkpoint()
    newest = max(tmp_path.glob("step-*"))
    damaged = bytearray(newest.read_bytes())
    damaged[-3] ^= 4
    newest.write_bytes(damaged)
    second = trainer(tmp_path)
    (complaint,) = second.resume()
    assert newest.name in complaint
    assert second.state.step == 5


def test_when_every_checkpoint_is_damaged_nothing_is_trained(tmp_path):
    trainer(tmp_path).fit()
    for path in tmp_path.glob("step-*"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match=r"no checkpoint in .* is whole"):
        trainer(tmp_path).resume()


def test_a_loss_that_is_not_finite_stops_the_run_before_it_spoils_the_weights(tmp_path):
    made = trainer(tmp_path, dataclasses.replace(RECIPE, learning_rate=1e30, optimizer="sgd", warmup=0.0))
    with pytest.raises(TrainingFailedError, match=r"not finite at epoch \d+, step \d+ .* try --lr"):
        made.fit()
    assert made.state.events[-1]["kind"] == "non_finite"


def test_the_best_epoch_is_kept_apart_from_the_last(tmp_path):
    made = trainer(tmp_path)
    outcome = made.fit()
    accuracies = [row["val_accuracy"] for row in outcome.rows]
    assert outcome.best_accuracy == max(accuracies)
    assert accuracies[outcome.best_epoch - 1] == max(accuracies)
    assert [path.name for path in tmp_path.glob("best-*")] == [f"best-{outcome.best_epoch:06d}.safetensors"]


def test_patience_ends_a_run_that_stopped_improving(tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=50, learning_rate=1e-9, average=0.0, patience=2)
    outcome = trainer(tmp_path, recipe).fit()
    assert len(outcome.rows) < 50
    assert outcome.events[-1].kind == "early_stop"


def test_a_deadline_ends_the_run_with_the_rate_near_zero(tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=None, deadline_seconds=1.5)
    outcome = trainer(tmp_path, recipe).fit()
    assert outcome.seconds < 2.5
    assert outcome.rows[-1]["learning_rate"] < 0.1 * recipe.learning_rate


def test_training_lowers_the_loss(tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=15, smoothing=0.0)
    rows = trainer(tmp_path, recipe).fit().rows
    assert rows[-1]["train_loss"] < 0.8 * rows[0]["train_loss"]
    assert rows[-1]["val_accuracy"] == 1.0


def test_when_the_newest_checkpoint_is_damaged_the_best_weights_of_the_one_before_are_still_there(tmp_path):
    made = trainer(tmp_path)
    made.fit()
    made.state.best_epoch = 2
    save_weights(made.evaluated, tmp_path / "best-000002.safetensors")
    made.state.step = 100
    made._checkpoint()
    made.state.best_epoch = 3
    save_weights(made.evaluated, tmp_path / "best-000003.safetensors")
    made.state.step = 101
    made._checkpoint()
    newest = max(tmp_path.glob("step-*"))
    newest.write_bytes(newest.read_bytes()[:-1])
    again = trainer(tmp_path)
    assert len(again.resume()) == 1
    again.use_best()
    assert again.state.best_epoch == 2


def test_a_validation_loss_that_is_not_finite_fails_the_run(tmp_path):
    made = trainer(tmp_path)

    def spoil(progress):
        if progress.step == made.train.steps and progress.row is None:
            next(made.evaluated.parameters()).fill_(float("nan"))

    made.observer = spoil
    with pytest.raises(TrainingFailedError, match="validation loss is not finite at epoch 1"):
        made.fit()
    assert not list(tmp_path.glob("*.safetensors"))


def test_weights_that_are_not_finite_never_reach_a_checkpoint(tmp_path):
    interruption = Interruption()
    made = trainer(tmp_path)

    def spoil(progress):
        if made.state.step == 2:
            next(made.module.parameters()).detach().fill_(float("inf"))
            interruption.signum = signal.SIGINT

    made.observer = spoil
    with pytest.raises(TrainingFailedError, match=r"0\.weight is not finite at epoch 1"):
        made.fit(interruption)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_run_in_minutes_goes_on_towards_the_deadline_it_began_with(tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=None, deadline_seconds=2.0)
    interruption, watch = stopping_at(2)
    first = watch.trainer = trainer(tmp_path, recipe, watch)
    first.fit(interruption)
    second = trainer(tmp_path, dataclasses.replace(recipe, deadline_seconds=50.0))
    second.resume()
    outcome = second.fit()
    assert outcome.seconds < 3
    assert outcome.rows[-1]["learning_rate"] < 0.1 * recipe.learning_rate


def test_a_long_epoch_is_saved_on_the_way_and_goes_on_from_there(tmp_path, monkeypatch):
    whole = trainer(tmp_path / "whole")
    whole.fit()
    monkeypatch.setattr("thalweg.training.loop.STEP_CHECKPOINT_SECONDS", 0.0)

    def stop(progress):
        if made.state.step == 5:
            raise MemoryError  # as good as a kill: nothing is saved on the way out

    made = trainer(tmp_path / "cut", observer=stop)
    with pytest.raises(MemoryError):
        made.fit()
    again = trainer(tmp_path / "cut")
    again.resume()
    assert (again.state.step, again.state.batch) == (4, 1)
    again.fit()
    assert same(whole.evaluated, again.evaluated)
