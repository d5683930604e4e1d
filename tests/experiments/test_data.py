import numpy as np
import pytest
from PIL import Image

from thalweg.core.errors import SourceError
from thalweg.experiments.data import lab_data
from thalweg.workbench.telling.telling import silent


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(1)
    for name, count in (("cat", 60), ("dog", 30)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (20, 20), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def test_a_folder_becomes_two_parts(photos):
    data = lab_data(str(photos), side=64, listener=silent(), least=40)
    assert (len(data.train), len(data.test)) == (72, 18)
    assert data.train.values.shape[1:] == (20, 20, 1)  # not blown up
    assert data.train.inputs.shape == (72, 1, 20, 20)
    assert data.majority == pytest.approx(12 / 18)
    assert "72 samples of 1x20x20 to train on, 18 held out, 2 classes" in data.said()


def test_of_many_samples_some_are_taken_with_every_class_its_share(photos):
    data = lab_data(str(photos), side=20, listener=silent(), least=20, most=30)
    assert len(data.train) == 30
    assert np.bincount(data.train.labels).tolist() == [20, 10]


def test_too_few_samples_are_refused_in_one_sentence(photos):
    with pytest.raises(SourceError, match="is too small for this experiment: 72 samples to train on and 18 held out"):
        lab_data(str(photos), side=20, listener=silent())


def test_one_class_is_refused(photos):
    with pytest.raises(SourceError, match="class"):
        lab_data(str(photos / "cat"), side=20, listener=silent(), least=10)
