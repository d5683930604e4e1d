import json
import math
import pathlib

import jsonschema
import pytest

import thalweg
from thalweg.cli.main import main
from thalweg.core.errors import PlanError, RunError
from thalweg.workbench import landscape
from thalweg.workbench.answering.model import open_model
from thalweg.workbench.telling.telling import silent

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"


@pytest.fixture(scope="module")
def runs(photo_folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("landscape")
    options = {"epochs": 1, "image_size": 16, "lr": 0.003, "repair": False}
    for seed, network in ((1, "plain"), (2, "plain"), (3, "lenet")):
        thalweg.train(photo_folder, network=network, seed=seed, out=home / f"run{seed}", **options)
    return home


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_two_runs_from_outside(runs, tmp_path, capsys, monkeypatch):
    for name, value in (("PRODUCTS", 12), ("PROBES", 2), ("WAY_STEPS", 4)):
        monkeypatch.setattr(landscape, name, value)
    before = contents(runs)
    page = tmp_path / "page.html"
    words = ["--samples", "8", "--points", "5", "--html", str(page), "--json", "--quiet"]
    with pytest.raises(SystemExit) as stop:
        main(["landscape", str(runs / "run1"), str(runs / "run2"), *words])
    answer = json.loads(capsys.readouterr().out)
    assert stop.value.code == 0
    jsonschema.validate(answer, json.loads((SCHEMAS / "landscape.json").read_text(encoding="utf-8")))
    assert contents(runs) == before
    assert "statistics of each microbatch of 2 samples" in answer["modes"]
    top, bottom = answer["spectrum"]["top"][0], answer["spectrum"]["bottom"][0]
    assert top["value"] > 0 > bottom["value"]
    assert top["residual"] < top["value"]
    lines = {line["name"]: line for line in answer["lines"]}
    straight = lines["straight to the other run"]
    assert straight["losses"][0] == pytest.approx(answer["loss"])
    assert len(answer["planes"][0]["losses"]) == 5
    assert answer["planes"][0]["losses"][2][2] == pytest.approx(answer["loss"])
    assert answer["barrier"] >= 0
    assert answer["update"]["slope"] != 0
    text = page.read_text(encoding="utf-8")
    assert "batch normalisation with the statistics of each microbatch" in text
    assert "The loss on the way to the other run" in text


def test_running_statistics_give_another_loss(runs):
    model = open_model(runs / "run1", device="cpu")
    batch, running = (
        landscape._objective(model, landscape._checked(8, 5, mode, "off", 0), silent()) for mode in ("batch", "running")
    )
    assert math.isfinite(running.value())
    assert batch.value() != pytest.approx(running.value())
    assert "running statistics" in running.said()
    assert running.samples == 8


def test_what_has_no_landscape_is_refused(runs, tmp_path):
    with pytest.raises(PlanError, match="different networks"):
        thalweg.landscape(runs / "run1", runs / "run3", samples=8, points=5)
    for options in ({"samples": 3}, {"points": 2}, {"batch_norm": "eval"}, {"dropout": "on"}):
        with pytest.raises(PlanError, match=next(iter(options)).replace("_", "-")):
            thalweg.landscape(runs / "run1", **options)
    with pytest.raises(RunError, match="is no run folder"):
        thalweg.landscape(tmp_path)
