"""Every rule is discovered and held to one contract: what it says of itself, when it fires, when it does not."""

import importlib
import inspect
import json
import pathlib
import pkgutil
import re
import sys

import pytest

import thalweg.diagnosis.rules as package
from thalweg.core.finding import Finding
from thalweg.core.network_facts import LayerFacts
from thalweg.diagnosis.judge import judge
from thalweg.diagnosis.live import MEASURED
from thalweg.diagnosis.remedies import remedy
from thalweg.diagnosis.rules import HEADINGS, RULES, Rule
from thalweg.rendering.telling_apart import HOW_TO_TELL
from thalweg.workbench.rules import rule, rules

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from rule_cases import CASES, HEALTHY, LAYERS, WATCHED, case, watched

SCHEMA = json.loads(
    pathlib.Path(package.__file__).parents[2].joinpath("core", "schemas", "diagnose.json").read_text("utf-8")
)
FINDING = SCHEMA["properties"]["results"]["items"]["properties"]["findings"]["items"]["properties"]
NAMES = set(FINDING["name"]["enum"])
REMEDIES = set(FINDING["remedies"]["items"]["properties"]["code"]["enum"])
FAMILIES = {"LRN", "CUR", "GRD", "ACT", "CRV", "DAT", "NET"}
BY_CODE = {each.code: each for each in RULES}


def test_every_function_that_checks_is_registered():
    found = set()
    for module in pkgutil.iter_modules(package.__path__):
        names = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
        found |= {value for name, value in names.items() if name.startswith("check_") and inspect.isfunction(value)}
    assert {each.check for each in RULES} == found
    assert len(found) >= 19


def test_codes_and_names_are_unique():
    assert len({each.code for each in RULES}) == len({each.name for each in RULES}) == len(RULES)
    assert (BY_CODE["LRN001"].name, BY_CODE["LRN002"].name) == ("learning_rate_too_high", "learning_rate_too_low")


@pytest.mark.parametrize("each", rules(), ids=lambda each: each.code)
def test_a_rule_says_what_it_is_under_every_heading(each):
    assert re.fullmatch(r"[A-Z]{3}\d{3}", each.code)
    assert each.code[:3] in FAMILIES
    assert each.name in NAMES
    assert each.text.startswith(f"{each.code}: ")
    assert each.summary.endswith(".")
    places = [each.text.find(f"\n{heading}: ") for heading in HEADINGS]
    assert -1 not in places, [heading for heading, place in zip(HEADINGS, places, strict=True) if place < 0]
    assert places == sorted(places)
    assert max(map(len, each.text.splitlines())) <= 120
    promised = re.search(r"\nRemedies: (.*?)\.\n", each.text, re.DOTALL)[1]
    assert promised == "none is needed" or set(re.findall(r"\w+", promised)) <= REMEDIES


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.code)
def test_a_rule_fires_where_it_must_and_says_how_it_knows(each: Rule):
    (finding,) = each.check(CASES[each.code][0])
    assert isinstance(finding, Finding)
    assert (finding.code, finding.name) == (each.code, each.name)
    assert finding.severity in {"info", "warning", "error"}
    assert 0 < finding.confidence <= 1
    assert len(finding.claim) > 20
    assert finding.evidence or each.code.startswith("LRN")
    assert set(finding.alternatives) <= NAMES - {each.name}
    told = {item.code for item in finding.remedies}
    assert told <= REMEDIES
    promised = re.search(r"\nRemedies: (.*?)\.\n", each.text, re.DOTALL)[1]
    assert told <= set(re.findall(r"\w+", promised)) | {"lower_learning_rate"}


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.code)
def test_a_rule_is_silent_on_a_healthy_run_and_on_a_near_miss(each: Rule):
    assert list(each.check(HEALTHY)) == [] or each.code in {"CUR013", "CUR014"}, "every run has batches of some size"
    assert list(each.check(CASES[each.code][1])) == []
    assert all(finding.severity == "info" for finding in (*each.check(HEALTHY), *each.check(WATCHED)))


@pytest.mark.parametrize("values", [[], [0.0] * 6, [1.0], [float("nan")] * 5, [-1e308, 1e308] * 4, [1e-320] * 9])
@pytest.mark.parametrize("verdict", ["too_high", "about_right"])
def test_no_rule_falls_over_on_odd_numbers(values, verdict):
    names = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "batch_loss", "gradient_norm", "learning_rate")
    for chosen in (names, names[:1], names[1:2], names[2:4], names[4:5]):
        found = judge(case(verdict, None, **dict.fromkeys(chosen, values)))
        assert all(0 < finding.confidence <= 1 for finding in found)


@pytest.mark.parametrize("values", [[], [0.0] * 6, [1.0], [float("nan")] * 5, [-1e308, 1e308] * 4, [1e-320] * 9])
def test_no_rule_falls_over_on_odd_measurements(values):
    odd = {name: dict.fromkeys(("run", "first", "head", "unknown"), values) for name in (*MEASURED, "batch_loss")}
    for facts in ({}, {"batch_size": 0, "layers": (), "loss": "?"}, {"batch_size": 1, "weight_decay": 1e30}):
        found = judge(watched("undetermined", facts, **odd))
        assert all(0 < finding.confidence <= 1 for finding in found)


@pytest.mark.parametrize("healthy", [HEALTHY, WATCHED], ids=["logged", "watched"])
def test_the_healthy_run_gets_no_warning(healthy):
    assert [finding.name for finding in judge(healthy) if finding.severity != "info"] == []


def test_every_finding_can_be_told_from_the_others_and_every_remedy_says_what_to_expect():
    assert set(HOW_TO_TELL) >= NAMES - {"split"}
    for code in REMEDIES - {"lower_learning_rate", "raise_learning_rate"}:
        assert remedy(code).expected_effect
        assert remedy(code).cost


def test_rules_are_explained_by_code_and_by_name():
    assert {text.code for text in rules()} == set(BY_CODE) | {"DAT001", "DAT002"}
    assert rule("cur010") == rule("overfitting")
    assert "Fires when" in str(rule("Learning-Rate-Too-High"))


@pytest.mark.parametrize(("measured", "fires"), [([1.0], False), ([1.0, 1.0], True), ([1.0, 0.0], False)])
def test_no_gradient_at_the_first_step_alone_is_no_frozen_layer(measured, fires):
    silent = dict.fromkeys(("first", "second", "third", "head"), measured)  # blocks that begin as the identity
    found = [each.code for each in BY_CODE["NET002"].check(watched(batch_frozen=silent))]
    assert found == (["NET002"] if fires else [])


@pytest.mark.parametrize(
    ("norm", "batch", "ranks", "severity"),
    [
        (LayerFacts(name="norm", kind="BatchNorm2d"), 1, 1, "error"),
        (LayerFacts(name="norm", kind="BatchNorm2d"), 2, 1, "warning"),
        (LayerFacts(name="norm", kind="BatchNorm2d"), 2, 2, "error"),
        (LayerFacts(name="norm", kind="BatchNorm2d"), 12, 4, None),
        (LayerFacts(name="norm", kind="BatchNorm2d", training=False), 1, 1, None),
        (LayerFacts(name="norm", kind="GroupNorm"), 1, 1, None),
        (LayerFacts(name="norm", kind="SyncBatchNorm", spread=True), 4, 4, None),
    ],
)
def test_statistics_are_of_few_samples_where_a_layer_sees_few(norm, batch, ranks, severity):
    facts = {"batch_size": batch, "ranks": ranks, "layers": (*LAYERS, norm)}
    found = [each.severity for each in BY_CODE["NET004"].check(watched(facts=facts))]
    assert found == ([severity] if severity else [])
