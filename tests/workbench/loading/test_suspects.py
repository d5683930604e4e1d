"""Wrong labels among many right ones are named by check and shown in the report; the files stay as they are."""

import numpy as np
import pytest
from PIL import Image

import thalweg


@pytest.fixture(scope="module")
def mislabelled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mislabelled") / "photos"
    random = np.random.default_rng(5)
    for label, name in enumerate(("down", "right")):
        (folder / name).mkdir(parents=True)
        for index in range(60):
            true = 1 - label if index in {3, 40} else label
            ramp = np.linspace(0, 200, 32)
            picture = ramp[:, None] + np.zeros((32, 32)) if true == 0 else ramp[None, :] + np.zeros((32, 32))
            picture = picture + random.normal(0, 20, picture.shape) + random.uniform(0, 50)
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / name / f"{index:02d}.png")
    return folder


WRONG = {"down/03.png", "down/40.png", "right/03.png", "right/40.png"}


def test_check_names_wrong_labels_first(mislabelled):
    found = thalweg.check(mislabelled).suspects
    assert {each.file for each in found[:4]} == WRONG
    assert found[0].looks_like != found[0].label
    assert len(found) <= 8


def test_the_report_shows_their_pictures(mislabelled, tmp_path):
    thalweg.train(mislabelled, network="small", epochs=1, image_size=32, lr=0.01, out=tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "labels look wrong to a plain model that never saw them" in page
    assert "looks like" in page


def test_right_labels_raise_no_suspicion_where_nothing_can_be_told(photo_folder):
    assert thalweg.check(photo_folder).suspects == ()
