"""How much context a network uses, as the report says it."""

import json
from dataclasses import replace

import pytest

from thalweg.core.codec import dumps
from thalweg.core.context_use import (
    ConfusionChange,
    ContextCurve,
    ContextRemoval,
    ContextUse,
    GradientReach,
    street_pairs,
)
from thalweg.core.report import Report, Section
from thalweg.core.run_folder import RunFolder
from thalweg.experiments.context_claims import judge_control, judge_street
from thalweg.workbench.reporting.context import context_section, keep_context, street_changes

NAMES = ("Sky", "Road", "Pavement", "Pedestrian")


def curve(fill, radii, accuracy):
    ends = ((0.0, 1.0),) * len(radii)
    return ContextCurve(
        fill=fill, radii=radii, agreement=accuracy, agreement_interval=ends, accuracy=accuracy, iou=(accuracy,) * 4
    )


def change(truth, predicted, pixels):
    return ConfusionChange(truth=truth, predicted=predicted, with_context=0.1, without=0.2, pixels=pixels)


@pytest.fixture
def use():
    return ContextUse(
        network="unet-small+gc",
        classes=NAMES,
        extents=(60, 80),
        field=(60, 80),
        whole=True,
        reach=tuple(
            GradientReach(share=s, radius=r, interval=(r, r)) for s, r in ((0.5, 2.0), (0.9, 7.0), (0.99, 20.0))
        ),
        curves=(curve("mean", (2, 8, 80), (0.3, 0.6, 0.9)),),
        removal=ContextRemoval(
            layers=("context.gc",),
            iou_with=(0.9,) * 4,
            iou_without=(0.8,) * 4,
            mean_iou_with=0.9,
            mean_iou_without=0.8,
            changes=(
                change("Sky", "Road", 90),
                change("Pedestrian", "Road", 40),
                change("Pavement", "Road", 12),
                change("Pedestrian", "Pavement", -3),
            ),
        ),
        pictures=4,
        places=dict.fromkeys(NAMES, 5),
    )


def test_the_section_has_field_reach_curves_and_the_dangerous_confusions_first(use, tmp_path):
    section = json.loads(dumps(context_section(use, RunFolder(tmp_path))))
    said = json.dumps(section)
    assert '["square with 90 % of gradient energy", "15x15", "radius 7, 95 % interval over pictures 7 to 7"]' in said
    assert "the whole picture" in said
    table = next(block for block in section["blocks"] if "Confusions that context removes" in block.get("caption", ""))
    assert [row[:2] for row in table["rows"]] == [
        ["Pedestrian", "Road"],
        ["Pavement", "Road"],
        ["Pedestrian", "Pavement"],
        ["Sky", "Road"],
    ]
    bare = json.dumps(json.loads(dumps(context_section(replace(use, curves=(), removal=None), RunFolder(tmp_path)))))
    assert "thalweg lab context" in bare
    assert "filled" not in bare.replace("is filled", "")


def test_what_is_dangerous_on_a_street_is_judged(use):
    assert street_pairs(NAMES) == (("Pedestrian", "Road"), ("Pedestrian", "Pavement"), ("Pavement", "Road"))
    assert street_pairs(("cat", "dog")) == ()
    assert sum(each.pixels for each in street_changes(use)) == 49
    found = judge_street(use)
    assert found.verdict == "supported"
    assert "49 pixels fewer in all" in found.observed
    assert judge_street(replace(use, removal=None)) is None
    worse = replace(use.removal, changes=(change("Pedestrian", "Road", -5),))
    assert judge_street(replace(use, removal=worse)).verdict == "contradicted"


@pytest.mark.parametrize(
    ("crops", "verdict"), [((0.5, 0.9), "supported"), ((0.78, 0.9), "undecided"), ((0.88, 0.9), "contradicted")]
)
def test_the_control_says_whose_doing_the_loss_is(use, crops, verdict):
    found = judge_control(replace(use, control=curve("crops", (8, 80), crops)))
    assert found.verdict == verdict  # filling loses 0.3 at radius 8
    assert "filling with the mean loses 0.300" in found.observed
    assert judge_control(use) is None


def test_what_is_measured_again_replaces_the_section(use, tmp_path):
    folder = RunFolder(tmp_path)
    bare = context_section(replace(use, curves=(), removal=None), folder)
    report = Report(
        title="street",
        answer=("good",),
        sections=(Section(title="Network", blocks=()), bare, Section(title="Training", blocks=())),
        provenance={},
    )
    folder.write_text("report.json", dumps(report))
    for _ in range(2):
        assert keep_context(use, folder)
    kept = json.loads(folder.read_text("report.json"))
    assert [each["title"] for each in kept["sections"]] == ["Network", "How much context it uses", "Training"]
    assert "Confusions that context removes" in folder.read_text("report.html")
    folder.write_text("report.json", "{")
    assert not keep_context(use, folder)
