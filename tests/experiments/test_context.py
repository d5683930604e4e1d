import json
from dataclasses import replace

import numpy as np
import pytest

import thalweg
from thalweg.accounting.ledger import count
from thalweg.core.codec import from_plain
from thalweg.core.context_use import ContextUse
from thalweg.core.errors import PlanError, RunError, SourceError
from thalweg.core.plan import TrainingPlan
from thalweg.core.run_folder import RunFolder
from thalweg.core.shape import Shape
from thalweg.experiments.context_claims import best_module, gains
from thalweg.experiments.context_control import ControlData, train_controls
from thalweg.experiments.context_networks import DEEPER, equal_networks, segmenters
from thalweg.experiments.context_runs import SceneRun, SceneTrial, train_scene
from thalweg.experiments.context_scenes import FAR, NAMES, scenes, shortest_distance
from thalweg.experiments.data import LabPart
from thalweg.experiments.lab import lab
from thalweg.experiments.labs import context
from thalweg.explanation.context_use import Place, control_curve
from thalweg.modules.build import build
from thalweg.networks.context import CONTEXTS
from thalweg.networks.segmentation import segmenter
from thalweg.rendering.pages.drawings import check_drawing
from thalweg.workbench.telling.telling import silent


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(context, "SIZES", ((32, 56), (32, 56)))
    monkeypatch.setattr(context, "PICTURES", ((16, 8), (16, 8)))
    monkeypatch.setattr(context, "STEPS", (3, 3))
    monkeypatch.setattr(context, "SEEDS", (2, 2))
    monkeypatch.setattr(context, "WIDTHS", (6, 6))
    monkeypatch.setattr(context, "PLACES", (1, 1))
    monkeypatch.setattr(context, "LOOKED_AT", (2, 2))
    monkeypatch.setattr(context, "TIMING", 0.0)
    monkeypatch.setattr(context, "CONTROL_STEPS", (2, 2))
    monkeypatch.setattr(context, "CONTROLS", (2, 2))


def test_the_lab_on_scenes(tiny):
    answer = lab("context", quick=True, workers=1)
    assert [row[0] for row in answer.table.rows] == [*CONTEXTS, DEEPER]
    by_name = {row[0]: dict(zip(answer.table.header, row, strict=True)) for row in answer.table.rows}
    assert by_name["none"]["sees"] == "35x35"
    assert by_name["gc"]["sees"] == "32x56"
    assert set(NAMES) < set(answer.table.header)
    assert [finding.claim for finding in answer.findings[:5]] == [
        f"Global context helps here: {name} against none at equal cost" for name in CONTEXTS[1:]
    ]
    assert len(answer.findings) == 9
    assert answer.findings[8].observed.startswith("scenes+none: receptive field 35x35 pixels")
    assert len(answer.figures) == 4
    assert check_drawing(answer.figures[0].svg)
    assert check_drawing(answer.figures[3].svg)
    assert len(answer.figures[2].lines) == 6


def test_a_disc_cannot_be_told_without_its_beacon():
    data = scenes(40, 4, (48, 72))
    assert data.far == FAR
    values, labels = data.train.values.astype(int), data.train.labels
    lamp, sign = (labels == NAMES.index(name) for name in FAR)
    assert not (lamp.any((1, 2)) & sign.any((1, 2))).any()  # one kind a picture
    means = [values[mask].mean(0) for mask in (lamp, sign)]
    assert np.abs(means[0] - means[1]).max() < 12  # they look alike
    beacons = np.array([values[number][labels[number] == 2].mean(0) for number in range(40)])
    red = beacons[:, 0] > beacons[:, 2]
    assert (red == lamp.any((1, 2))).all()  # and the beacon says which
    far = [
        min(np.argwhere(labels[number] > 2)[:, 1]) - max(np.argwhere(labels[number] == 2)[:, 1]) for number in range(40)
    ]
    field = count(equal_networks(data.shape, 5, 8)["none"]).receptive_field
    assert min(far) > 0
    assert shortest_distance(72) > field[1] // 2  # none cannot see it from a disc's middle
    assert (scenes(2, 2, (48, 72), seed=1).train.values != scenes(2, 2, (48, 72), seed=2).train.values).any()


def test_networks_cost_the_same():
    specs = equal_networks(Shape(3, (48, 72)), 5, 12)
    macs = [count(spec).macs for spec in specs.values()]
    assert max(macs) < 1.08 * min(macs)
    assert count(specs[DEEPER]).receptive_field[0] > 4 * count(specs["none"]).receptive_field[0]
    costs = {name: count(spec).macs for name, spec in segmenters(Shape(3, (96, 128)), 11).items()}
    assert set(costs) == set(CONTEXTS)
    assert max(costs.values()) < 1.06 * min(costs.values())


def test_context_is_learned_where_it_is_needed_and_nowhere_else():
    """Training for real, on few pictures: with global context the far classes are told apart, without they are not."""
    data = scenes(48, 24, (32, 56), seed=3)
    specs = equal_networks(data.shape, 5, 8)
    runs = {
        name: train_scene(data, SceneTrial(spec=specs[name], steps=110, seed=0, keep=False)) for name in ("none", "gc")
    }
    far = {name: run.mean_of([3, 4]) for name, run in runs.items()}
    assert far["gc"] > far["none"] + 0.2
    assert min(run.mean_of([0, 1, 2]) for run in runs.values()) > 0.6


def run(*iou):
    size = len(iou)
    return SceneRun(
        confusion=tuple(tuple(int(a == b) for a in range(size)) for b in range(size)), iou=iou, weights=None
    )


def test_gains_are_what_is_certain():
    found = {
        "none": [run(0.9, 0.2, float("nan")), run(0.9, 0.21, float("nan")), run(0.9, 0.19, float("nan"))],
        "gc": [run(0.95, 0.5, float("nan")), run(0.85, 0.51, float("nan")), run(0.9, 0.49, float("nan"))],
        "pool": [run(0.9, 0.1, float("nan")), run(0.9, 0.11, float("nan")), run(0.9, 0.09, float("nan"))],
    }
    assert gains("abc", found, "gc") == (["b +0.300"], [])
    assert gains("abc", found, "pool") == ([], ["b -0.100"])
    assert best_module(found) == "gc"


def test_a_source_without_masks_is_refused(photo_folder):
    with pytest.raises(SourceError, match="has no masks"):
        lab("context", str(photo_folder), quick=True, workers=1)


def test_the_lab_on_streets(tiny, monkeypatch, shared_data):
    monkeypatch.setattr(context, "SIDES", (32, 32))
    monkeypatch.setattr(context, "MOST", (16, 16))
    monkeypatch.setattr(context, "SOURCE_STEPS", (2, 2))
    monkeypatch.setattr(context, "SOURCE_SEEDS", (1, 1))
    answer = lab("context", str(shared_data / "camvid"), quick=True, workers=1)
    assert [row[0] for row in answer.table.rows] == list(CONTEXTS)
    assert "camvid" in answer.setup["data"]


def test_data_are_values():
    data = scenes(4, 2, (32, 56))
    assert replace(data, source="other").said().startswith("other: 4 pictures of 3x32x56")


@pytest.fixture(scope="module")
def run_folder(street_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("context") / "run"
    thalweg.train(street_folder, out=folder, context="gc", epochs=1, lr=0.003, repair=False)
    return folder


def test_a_run_is_looked_into(tiny, run_folder):
    before = json.loads((run_folder / "report.json").read_text(encoding="utf-8"))
    titles = [section["title"] for section in before["sections"]]
    section = before["sections"][titles.index("How much context it uses")]
    assert "50 % of gradient energy" in json.dumps(section)  # what is cheap stands in every report
    assert f"thalweg lab context {run_folder}" in json.dumps(section)
    answer = lab("context", str(run_folder), quick=True, workers=1)
    assert answer.question == "How much context does this network use?"
    assert [row[0] for row in answer.table.rows] == ["sky", "road", "car"]
    assert answer.table.header[-2:] == ("IoU", "module silenced")
    assert [finding.claim for finding in answer.findings] == [
        "A network uses as much of a picture as its receptive field says",
        "The trained network relies on what its context module adds",
    ]
    assert all(line.y[-1] == 1.0 for line in answer.figures[0].lines)  # the largest radius keeps everything
    assert answer.to_json()["figures"]
    kept = from_plain(ContextUse, RunFolder.open(run_folder).read_json("context.json"), "context.json")
    assert [curve.fill for curve in kept.curves] == ["mean", "blurred", "other"]
    after = json.loads((run_folder / "report.json").read_text(encoding="utf-8"))
    assert [section["title"] for section in after["sections"]] == titles  # replaced, not added a second time
    assert "filled: blurred" in (run_folder / "report.html").read_text(encoding="utf-8")


def test_networks_trained_on_crops_are_the_control(tiny, run_folder):
    answer = lab("context", str(run_folder), quick=True, workers=1, control=True)
    assert "radii 8, 32 (the last: whole pictures); crops a step 28, 8" in answer.setup["control"]
    assert [line.label for line in answer.figures[0].lines][-1] == "trained on crops"
    assert answer.findings[-1].claim == "A network that never sees further misses what filling takes away"
    assert answer.table.header[3:7] == ("radius, mean", "radius, blurred", "radius, other", "radius, crops")
    with pytest.raises(PlanError, match="--control is about a trained network"):
        lab("context", quick=True, workers=1, control=True)
    with pytest.raises(PlanError, match="lab saddle has no control"):
        lab("saddle", quick=True, control=True)
    with pytest.raises(PlanError, match=r"--minutes 0\.0001 are given"):
        lab("context", str(run_folder), quick=True, control=True, minutes=0.0001)


def test_a_control_learns_from_its_crop_alone():
    """What lies beyond the radius says everything: the control on whole pictures knows it, the one on crops cannot."""
    random = np.random.default_rng(2)
    labels = np.repeat(random.integers(0, 2, 24), 16 * 48).reshape(24, 16, 48)
    values = np.full((24, 16, 48, 3), 100, np.uint8)
    values[:, :, :6, 0] = 30 + 200 * labels[:, :1, :1]  # a strip at the left edge
    spec = segmenter(Shape(3, (16, 48)), 2, context="gc")
    data = ControlData(
        part=LabPart(values=values, labels=labels),
        spec=spec,
        plan=TrainingPlan(source="none", learning_rate=0.01, class_weights="none"),
        weights=build(spec.logits()[0], seed=0).state_dict(),
        pixels=(1, 1),
        steps=40,
        seed=0,
    )
    modules = train_controls(data, (8, 48), workers=1, listener=silent())
    places = [Place(picture=n, row=8, column=40, truth=int(labels[n, 0, 0])) for n in range(24)]
    curve = control_curve(modules, data.part.inputs, places, 2)
    assert curve.accuracy[1] > 0.9
    assert curve.accuracy[0] < 0.7


def test_a_run_that_classifies_is_refused(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos") / "run"
    thalweg.train(photo_folder, out=folder, network="lenet", epochs=1, lr=0.003, image_size=32, repair=False)
    with pytest.raises(RunError, match="classifies whole pictures"):
        lab("context", str(folder), quick=True, workers=1)
