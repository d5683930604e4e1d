import json

import pytest

from thalweg.core.finding import Finding, Remedy
from thalweg.core.run_state import RunState
from thalweg.dashboard.tongue import Tongue

STATE = RunState(
    path="runs/loss",
    name="loss",
    phase="finished",
    network="small",
    source="validation",
    split="validation",
    verdict_line="about right (75 % sure)",
    warnings=("too_few_epochs",),
)
FINDING = Finding(
    code="CUR001",
    name="too_few_epochs",
    severity="warning",
    confidence=0.9,
    subject="run",
    claim="the learning rate is 3x too low",
    remedies=(Remedy(code="more_epochs", edit={"epochs": 20}, safety="advice"),),
)


def test_sentences_are_said_and_names_are_left_alone():
    row = Tongue("fa").row(STATE)
    assert (row["name"], row["network"], row["source"]) == ("loss", "small", "validation")
    assert row["warnings"] == ["too_few_epochs"]
    assert row["warning_words"] == ["دوره‌های کم"]
    assert row["verdict_line"] == "تقریباً درست (اطمینان ۷۵٪)"
    assert row["split"] == "اعتبارسنجی"
    assert Tongue("en").row(STATE)["warning_words"] == ["too few epochs"]
    assert Tongue("en").row(STATE)["verdict_line"] == STATE.verdict_line


def test_a_finding_keeps_its_codes_beside_the_words():
    told = Tongue("fa").finding(FINDING)
    assert (told["code"], told["name"], told["remedies"][0]["code"]) == ("CUR001", "too_few_epochs", "more_epochs")
    assert (told["title"], told["severity_word"]) == ("دوره‌های کم", "هشدار")
    assert told["claim"] == "نرخ یادگیری ۳ برابر کمتر از اندازه است"
    assert told["remedies"][0]["title"] == Tongue("fa").name("more_epochs") != "more epochs"


@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_words_are_a_module_that_a_script_imports(language):
    head, _, body = Tongue(language).words().partition("export default ")
    facts = json.loads(body.rstrip(";\n"))
    assert head == ""
    assert facts["language"] == language
    assert (facts["words"].get("Save and stop") or "Save and stop") == {"en": "Save and stop", "fa": "ذخیره و توقف"}[
        language
    ]


def test_what_stands_in_double_braces_is_said_and_escaped(monkeypatch):
    tongue = Tongue("fa")
    assert tongue.page('<html lang="{language}" dir="{direction}"><p>{{Runs}}</p>') == (
        '<html lang="fa" dir="rtl"><p>اجراها</p>'
    )
    monkeypatch.setattr(tongue, "say", lambda text, _: f"<{text}>")
    assert tongue.page("{{Runs}}") == "&lt;Runs&gt;"


def test_a_command_line_error_is_said_without_the_programs_name():
    assert Tongue("fa").trouble("thalweg: photos: there is no such folder or file") == (
        "\u2068photos\u2069: چنین پوشه یا فایلی نیست"
    )
