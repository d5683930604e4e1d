"""A plan survives TOML whatever its strings hold, and refuses what no run could follow."""

import dataclasses
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.errors import PlanError, RunError
from thalweg.core.plan import TrainingPlan

TEXT = st.text(st.characters(exclude_categories=["Co"]))  # lone surrogates included: bytes that are not UTF-8
PLANS = st.builds(
    TrainingPlan,
    source=TEXT,
    network=TEXT,
    epochs=st.none() | st.integers(1, 10**6),
    learning_rate=st.none() | st.floats(1e-9, 10),
    optimizer=st.sampled_from([None, "adam", "adamw", "sgd"]),
    weight_decay=st.none() | st.floats(0, 1),
    batch_size=st.none() | st.integers(1, 999),
    test=st.none() | st.floats(0.01, 0.4),
    validation=st.none() | st.floats(0.01, 0.4),
    group_by=st.none() | TEXT,
    seed=st.integers(0, 2**63 - 1),
    stages=st.none() | st.lists(st.floats(0.1, 1), min_size=1, max_size=3).map(tuple),
)


@given(PLANS)
def test_a_plan_is_read_back_as_it_was_written(plan):
    text = plan.to_toml()
    text.encode("utf-8")
    assert TrainingPlan.from_toml(text) == plan
    assert tomllib.loads(text)["schema"] == 1


def test_minutes_and_a_split_file_are_kept_too():
    plan = TrainingPlan(source="s", minutes=0.3, split_file="bad\udcff\n\"'\\.csv")
    assert TrainingPlan.from_toml(plan.to_toml()) == plan


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"epochs": 0}, "--epochs 0"),
        ({"minutes": 0}, "--minutes 0"),
        ({"minutes": float("nan")}, "--minutes nan"),
        ({"epochs": 1, "minutes": 1.0}, "exclude each other"),
        ({"learning_rate": 0.0}, "--lr 0 is out of range: more than 0"),
        ({"learning_rate": float("inf")}, "--lr inf"),
        ({"batch_size": 0}, "--batch-size 0"),
        ({"image_size": 7}, "--image-size 7"),
        ({"image_size": 70_000}, "--image-size 70000"),
        ({"weight_decay": -0.1}, "--weight-decay -0.1"),
        ({"label_smoothing": 1.0}, "--label-smoothing 1"),
        ({"patience": -1}, "--patience -1"),
        ({"seed": -1}, "--seed -1"),
        ({"test": 1.0}, "--test 1 is out of range"),
        ({"validation": 0.0}, "--validation 0"),
        ({"test": 0.5, "validation": 0.5}, "leave less than 5 % for training"),
        ({"split_file": "s.csv", "test": 0.2}, "--split-file fixes the split"),
        ({"seed": -1}, "--seed -1 is out of range: 0 to 9,223,372,036,854,775,807"),
        ({"epochs": 1.5}, "--epochs 1.5: a whole number such as 2 is wanted"),
        ({"epochs": "ten"}, "--epochs ten: a whole number such as 10 is wanted"),
        ({"minutes": "ten"}, "--minutes ten: a number such as 0.5 is wanted"),
        ({"batch_size": 8.0}, "--batch-size 8.0: a whole number such as 8 is wanted"),
        ({"seed": 0.5}, "--seed 0.5: a whole number such as 1 is wanted"),
        ({"epochs": 1_000_001}, "--epochs 1000001 is out of range: 1 to 1,000,000"),
        ({"warmup": 1.0}, "warmup 1"),
        ({"average": 1.0}, "average 1"),
        ({"stages": (0.5, 0.0)}, "stages 0"),
        ({"optimizer": "adamm"}, "--optimizer adamm: choose one of adam, adamw, sgd"),
        ({"class_weights": "yes"}, "--class-weights yes: choose one of auto, balanced, none"),
        ({"augment": "yes"}, "--augment yes"),
        ({"device": "tpu"}, "--device tpu"),
        ({"colour": "red"}, "'colour' is no part of a plan"),
    ],
)
def test_a_value_no_run_could_follow_is_refused_with_its_option(options, told):
    with pytest.raises(PlanError) as refusal:
        TrainingPlan(source="s").with_options(**options)
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("epochs = 1.5", "plan.toml.epochs"),
        ("epochs = 'x'", "plan.toml.epochs"),
        ("seed = true", "plan.toml.seed"),
        ("optimizer = 'adamm'", "plan.toml.optimizer: 'adamm' is none of"),
        ("stages = 3", "plan.toml.stages: a list is wanted"),
        ("stages = ['a']", "plan.toml.stages[0]"),
        ("source = 2026-01-01", "plan.toml.source"),
        ("colour = 'red'", "plan.toml: unknown field 'colour'"),
        ("warmup = = 1", "plan.toml: "),
        ("schema = 2", "plan.toml: "),
    ],
)
def test_a_plan_edited_to_nonsense_is_refused_with_its_place(line, told):
    name = line.split(" ", maxsplit=1)[0]
    kept = [each for each in TrainingPlan(source="s").to_toml().splitlines() if not each.startswith(f"{name} =")]
    with pytest.raises(RunError) as refusal:
        TrainingPlan.from_toml("\n".join([*kept, line]))
    assert told in str(refusal.value)


def test_another_schema_is_named():
    with pytest.raises(RunError, match="schema 2 is not known to this version, which reads 1"):
        TrainingPlan.from_toml("schema = 2\nsource = 's'")


def test_every_field_is_described():
    for field in dataclasses.fields(TrainingPlan):
        assert f"        {field.name}: " in TrainingPlan.__doc__
