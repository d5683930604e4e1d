"""What a run over several ranks refuses before it reads a picture, and what it says."""

import dataclasses

import pytest

from thalweg.core.errors import PlanError
from thalweg.core.plan import TrainingPlan
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import network
from thalweg.training.device import Device
from thalweg.training.ranks import ALONE, Ranks
from thalweg.workbench.runs import spreading

PLAN = TrainingPlan(source="photos", repair=False)
CPU = Device("cpu", None)


@pytest.fixture
def two():
    ranks = Ranks()
    ranks.size = 2
    return ranks


def test_shards_of_a_sound_run_on_two_ranks_are_not_refused(two):
    assert spreading.refuse_shards(PLAN, CPU, two) is None


def test_shards_are_refused_in_a_sentence_that_says_the_way_out(two, monkeypatch):
    with pytest.raises(PlanError, match=r"there is one: start it with torchrun --nproc-per-node 2"):
        spreading.refuse_shards(PLAN, CPU, ALONE)
    with pytest.raises(PlanError, match="not on mps: leave it out, or add --device cpu"):
        spreading.refuse_shards(PLAN, Device("mps", None), two)
    with pytest.raises(PlanError, match=r"repairs itself, .* go on without --shard"):
        spreading.refuse_shards(dataclasses.replace(PLAN, repair=True), CPU, two)
    monkeypatch.setattr(spreading, "can_shard", bool)
    with pytest.raises(PlanError, match=r"needs torch 2\.9 or newer"):
        spreading.refuse_shards(PLAN, CPU, two)


def test_what_shards_save_and_leave_out_is_said_in_one_line(two):
    spec = network("lenet", Shape(3, (32, 32)), 2)
    told = spreading.told_of_ranks(two, spec, shards=True)
    assert "about 41,181 of 82,361 weights" in told
    assert "the critical step" in told
    assert "weights" not in spreading.told_of_ranks(two, spec, shards=False)
