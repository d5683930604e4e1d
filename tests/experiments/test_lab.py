import json
import pathlib
import re

import jsonschema
import pytest

from thalweg.cli.main import main
from thalweg.core.errors import PlanError
from thalweg.experiments import lab as room
from thalweg.experiments.lab import lab, labs
from thalweg.experiments.labs import saddle
from thalweg.rendering.pages.drawings import check_drawing

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"


@pytest.fixture
def few(monkeypatch):
    """A saddle lab of fewer cases: the whole quick one takes longer than a test may."""
    monkeypatch.setattr(saddle, "RATES", (0.1, 1.0))
    monkeypatch.setattr(saddle, "NETWORK_RATES", (0.1, 1.0))
    monkeypatch.setattr(saddle, "QUICK", (400, 1))


def test_a_file_with_a_lab_is_all_it_takes():
    home = pathlib.Path(room.__file__).with_name("labs")
    files = {
        path.stem.replace("_", "-") for path in home.glob("*.py") if "\nLAB = " in path.read_text(encoding="utf-8")
    }
    assert set(labs()) == files
    assert all(what for what in labs().values())


def test_saddle_from_outside(few, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["lab", "saddle", "--quick", "--json", "--quiet"])
    answer = json.loads(capsys.readouterr().out)
    assert stop.value.code == 0
    jsonschema.validate(answer, json.loads((SCHEMAS / "lab.json").read_text(encoding="utf-8")))
    found = {each["claim"]: each["verdict"] for each in answer["findings"]}
    assert found["SGD gets stuck at saddles"] != "supported"
    assert found["The place where identical units end is a saddle, not a minimum"] == "supported"
    exact = [row for row in answer["table"] if row["distance"] == "0" and row["noise"] in {"none", "full batch"}]
    assert len(exact) == 5
    assert all(row["SGD"] == row["SGD with momentum"] == row["Adam"] == "stays" for row in exact)
    assert any(row["perturbed SGD"] != "stays" for row in exact)
    assert (tmp_path / answer["page"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    moving = answer["figures"][0]["svg"]
    assert check_drawing(moving) == moving
    assert "@keyframes" in moving
    for when in ("prefers-reduced-motion:reduce", "print"):
        assert re.search(rf"@media \(?{when}\)?{{\.tw g{{animation:none", moving), when
    assert all(name in moving for name in ("SGD, rate", "Adam, rate", "saddle", "start"))


def test_what_cannot_be_run_is_refused(tmp_path):
    with pytest.raises(PlanError, match=r"choose one of .*saddle"):
        lab("../saddle")
    with pytest.raises(PlanError, match="takes no source"):
        lab("saddle", "photos")
    with pytest.raises(PlanError, match="--workers 0"):
        lab("saddle", workers=0)
    with pytest.raises(PlanError, match="name a file in a folder that exists"):
        lab("saddle", html=tmp_path / "none" / "page.html")


def test_without_a_name_they_are_listed(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["lab"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(next(iter(labs())))
