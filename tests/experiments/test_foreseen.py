"""An experiment tells how long it will take, and is not begun where the time does not suffice."""

import importlib
import re
from dataclasses import replace

import pytest

from thalweg.core.errors import PlanError, SourceError
from thalweg.core.shape import Shape
from thalweg.experiments import foreseen
from thalweg.experiments.foreseen import Work, foresee, step_seconds
from thalweg.experiments.lab import LabRequest, lab, labs
from thalweg.experiments.lab_network import lab_network
from thalweg.experiments.labs import stride
from thalweg.workbench.telling.telling import silent

SPEC = lab_network(Shape(1, (16, 16)), 2)


def asked(said=None, **given):
    listener = replace(silent(), say=[].append if said is None else said.append)
    return LabRequest(**{"source": None, "quick": True, "workers": 1, "seed": 0, "listener": listener} | given)


@pytest.fixture
def a_second_a_step(monkeypatch):
    monkeypatch.setattr(foreseen, "step_seconds", lambda _, batch, **_fast: batch / 32)


def test_time_is_that_of_all_steps_over_the_processes_that_work(a_second_a_step, monkeypatch):
    monkeypatch.setattr("thalweg.experiments.foreseen.usable_cores", lambda: 2)
    works = [Work(spec=SPEC, steps=30, trainings=4), Work(spec=SPEC, steps=60, batch=16)]
    told = []
    assert foresee("stride", works, asked(told, workers=8), besides=30) == (120 + 30 + 30) / 60 / 2
    assert told == ["5 trainings, about 2 minutes ..."]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"minutes": 1.0}, "--minutes 1 are given; give --minutes 34 or a source"),
        ({"minutes": 24.9}, "--minutes 24.9 are given"),
        ({"minutes": 26.0}, None),
        ({}, "25 minutes are the most unasked; give --minutes 34 or a source"),
        ({"quick": False}, None),
        ({"quick": False, "minutes": 5.0, "source": "photos"}, "lab stride on photos: not enough time: 1 trainings"),
        ({"quick": False, "minutes": 5.0}, "give --minutes 34, --quick or a source of fewer or smaller samples"),
    ],
)
def test_what_would_take_longer_than_there_is_time_is_not_begun(a_second_a_step, given, said):
    request, works = asked(**given), [Work(spec=SPEC, steps=25.1 * 60)]
    if said is None:
        assert foresee("stride", works, request) == pytest.approx(25.1)
    else:
        with pytest.raises(PlanError, match=re.escape(said)):
            foresee("stride", works, request)


def test_a_step_of_more_samples_takes_longer():
    assert 0 < step_seconds(SPEC, 1) < step_seconds(SPEC, 512)


def larger(data):
    """Twice the side."""
    double = [replace(part, values=part.values.repeat(2, axis=1).repeat(2, axis=2)) for part in (data.train, data.test)]
    return replace(data, train=double[0], test=double[1])


@pytest.mark.parametrize("name", sorted(set(labs()) - {"saddle", "transfer", "dimensions", "context"}))
def test_every_lab_on_a_source_says_that_the_time_does_not_suffice(blue_and_red, monkeypatch, name):
    module = importlib.import_module(f"thalweg.experiments.labs.{name.replace('-', '_')}")
    monkeypatch.setattr(module, "lab_data", lambda *_, **__: larger(blue_and_red))
    with pytest.raises(PlanError, match=f"lab {name} on photos: not enough time: .* trainings"):
        lab(name, "photos", quick=True, workers=1, minutes=1e-6)


@pytest.mark.parametrize("name", ["dimensions", "context"])
def test_so_do_those_with_data_of_their_own(name):
    with pytest.raises(PlanError, match=f"lab {name}: not enough time: .* trainings"):
        lab(name, quick=True, workers=1, minutes=1e-6)


def test_minutes_are_more_than_none():
    with pytest.raises(PlanError, match="--minutes 0: a number above 0"):
        lab("stride", minutes=0)


def test_samples_that_are_too_small_for_a_lab_are_told(blue_and_red, monkeypatch):
    monkeypatch.setattr(stride, "lab_data", lambda *_, **__: blue_and_red)
    with pytest.raises(SourceError, match="photos: its samples are too small for lab stride: layer 'conv3'"):
        lab("stride", "photos", quick=True, workers=1)
