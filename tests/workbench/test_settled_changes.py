"""What augmentation leaves out is decided once, told, and kept in the run."""

import pathlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import thalweg
from thalweg.core.errors import PlanError
from thalweg.core.plan import TrainingPlan
from thalweg.workbench.loading import batching
from thalweg.workbench.loading.loading import load
from thalweg.workbench.telling.telling import silent
from thalweg.workbench.train import train

QUICK = {"epochs": 1, "image_size": 32, "batch_size": 16, "lr": 0.002, "repair": False}


@pytest.fixture(scope="module")
def boards(tmp_path_factory):
    """Photos of one printed board, with a small wedge that points left or right."""
    folder, random = tmp_path_factory.mktemp("boards"), np.random.default_rng(5)
    board = np.kron(random.integers(40, 160, (16, 16, 1)), np.ones((2, 2, 3)))
    wedge = np.tril(np.full((12, 12), 90))[..., None]
    for number in range(120):
        picture = board + random.normal(0, 6, (32, 32, 1))
        down, across = random.integers(2, 18, 2)
        picture[down : down + 12, across : across + 12] += wedge[:, ::-1] if number % 2 else wedge
        place = folder / ("this", "that")[number % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(place / f"{number}.png")
    return folder


def told(source, out, **options):
    said = []
    result = train(source, out=out, listener=replace(silent(), say=said.append), **QUICK | options)
    plan = TrainingPlan.from_toml((pathlib.Path(result.run) / "plan.toml").read_text(encoding="utf-8"))
    return plan, "\n".join(said), result


def test_samples_that_are_cut_alike_are_not_shifted_and_signs_not_mirrored(boards, tmp_path):
    plan, said, result = told(boards, tmp_path / "run")
    assert (plan.augment, plan.mirror, plan.shift) == ("auto", False, False)
    assert "Samples are cut alike" in said
    assert "Mirrored copies cost answers: of 96 training files" in said
    page = pathlib.Path(result.report).read_text(encoding="utf-8")
    assert "as augmentation changes them in training: neither mirrored nor shifted nor scaled" in page


def test_photos_without_anything_in_common_are_moved_and_mirrored(photo_folder, tmp_path):
    plan, said, result = told(photo_folder, tmp_path / "run")
    assert (plan.mirror, plan.shift) == (None, None)
    assert "cut alike" not in said
    assert "irrored" not in said
    page = pathlib.Path(result.report).read_text(encoding="utf-8")
    assert "as augmentation changes them in training<" in page


def test_what_the_user_decides_is_done_and_batches_show_it(boards, monkeypatch):
    loaded = load(boards, image_size=32, listener=silent())
    everything = tuple(range(len(loaded.samples)))
    monkeypatch.setattr(batching, "try_mirroring", lambda *_, **__: pytest.fail("nobody asked"))
    plan = TrainingPlan(source="boards", mirror=True, shift=True)
    assert batching.settle_changes(plan, loaded, everything, silent()) is plan
    changes = batching.batches_of(loaded, everything, plan, training=True).augmentation
    assert changes.flip_horizontal
    assert changes.shift > 0
    still = TrainingPlan(source="boards", mirror=False, shift=False)
    changes = batching.batches_of(loaded, everything, still, training=True).augmentation
    assert not changes.flip_horizontal
    assert (changes.shift, changes.zoom) == (0, 0)
    assert changes.contrast > 0


def test_names_that_differ_by_side_are_enough(photo_folder, monkeypatch):
    loaded = load(photo_folder, image_size=32, listener=silent())
    monkeypatch.setattr(batching, "sided_classes", lambda _: ("turn left", "turn right"))
    said = []
    plan = batching.settle_changes(
        TrainingPlan(source="signs"), loaded, tuple(range(len(loaded.samples))), replace(silent(), say=said.append)
    )
    assert plan.mirror is False
    assert said == [
        "turn left and turn right differ by their side: nothing is mirrored; --mirror does it all the same."
    ]


def test_wishes_that_contradict_each_other_are_refused(tmp_path):
    with pytest.raises(PlanError, match="--augment none leaves all samples as they are: leave it or --mirror out"):
        thalweg.train(tmp_path, augment="none", mirror=True)
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).normal(size=(40, 1, 64)), y=np.arange(40) % 2)
    with pytest.raises(PlanError, match="--mirror is for pictures and volumes"):
        thalweg.train(tmp_path / "x.npz", mirror=True, out=tmp_path / "run", epochs=1)
