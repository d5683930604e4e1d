"""Scores of segmentations against torchmetrics, scikit-learn and slow twins that say the definition word for word."""

import math

import numpy as np
import pytest

from thalweg.core.codec import from_plain, to_plain
from thalweg.core.errors import PictureError
from thalweg.core.segmentation import SegmentationEvaluation
from thalweg.evaluation.segmentation import confusion_of, evaluate_segmentation, overlaps

CLASSES, VOID = 5, 255


def masks(seed, pictures=6, size=(20, 24), absent=(), void=0.1):
    """True masks of a few blobs, and predictions that are right in most places."""
    chance = np.random.default_rng(seed)
    usable = [number for number in range(CLASSES) if number not in absent]
    coarse = chance.choice(usable, (pictures, size[0] // 4, size[1] // 4))
    truth = coarse.repeat(4, 1).repeat(4, 2)
    said = np.where(chance.random(truth.shape) < 0.3, chance.choice(usable, truth.shape), truth)
    return said, np.where(chance.random(truth.shape) < void, VOID, truth)


def slow_iou(said, truth, number):
    """|is it and called it| / |is it or called it|, over sets of places."""
    known = {place for place in np.ndindex(truth.shape) if truth[place] != VOID}
    real = {place for place in known if truth[place] == number}
    called = {place for place in known if said[place] == number}
    return len(real & called) / len(real | called) if real | called else math.nan


@pytest.mark.parametrize("absent", [(), (2,), (0, 4)])
def test_iou_equals_its_definition_and_torchmetrics(absent, torchmetrics):
    torch = pytest.importorskip("torch")
    said, truth = masks(1, absent=absent)
    found = overlaps(confusion_of(said, truth, CLASSES).sum(0))
    assert found == pytest.approx([slow_iou(said, truth, number) for number in range(CLASSES)], nan_ok=True)
    metric = torchmetrics.JaccardIndex(task="multiclass", num_classes=CLASSES, ignore_index=VOID, average="none")
    theirs = metric(torch.from_numpy(said), torch.from_numpy(truth)).numpy()
    assert np.nan_to_num(found) == pytest.approx(theirs)  # it calls a class that is nowhere 0, we nan
    scored = evaluate_segmentation(confusion_of(said, truth, CLASSES), "abcde", split="test")
    macro = torchmetrics.JaccardIndex(task="multiclass", num_classes=CLASSES, ignore_index=VOID, average="macro")
    assert scored.mean_iou == pytest.approx(float(macro(torch.from_numpy(said), torch.from_numpy(truth))))
    assert sum("no pixel" in note for note in scored.notes) == len(absent)


def test_confusion_is_sklearns_and_void_counts_nowhere():
    metrics = pytest.importorskip("sklearn.metrics")
    said, truth = masks(2)
    known = truth != VOID
    theirs = metrics.confusion_matrix(truth[known], said[known], labels=range(CLASSES))
    assert confusion_of(said, truth, CLASSES).sum(0).tolist() == theirs.tolist()
    elsewhere = np.where(known, said, (said + 1) % CLASSES)  # other answers on void change nothing
    assert (confusion_of(elsewhere, truth, CLASSES) == confusion_of(said, truth, CLASSES)).all()


def test_scores_of_a_class_and_pairs_are_what_they_say():
    found = evaluate_segmentation(
        [[[8, 2, 0], [1, 3, 0], [0, 5, 0]], [[4, 0, 0], [0, 0, 0], [0, 0, 0]]], "abc", split="t"
    )
    first, second, third = found.classes
    assert (first.iou, first.precision, first.recall) == pytest.approx((12 / 15, 12 / 13, 12 / 14))
    assert (third.iou, third.pixels, third.pictures) == (0.0, 5, 1)
    assert math.isnan(second.iou_interval[0])  # one picture holds it
    assert [(pair.truth, pair.predicted, pair.pixels, pair.share) for pair in found.confused] == [
        ("c", "b", 5, 1.0),
        ("a", "b", 2, 2 / 14),
        ("b", "a", 1, 0.25),
    ]
    assert [each.picture for each in found.worst] == [0, 1]
    assert found.pixel_accuracy == pytest.approx(15 / 23)


def test_a_class_only_called_scores_zero_and_is_named():
    found = evaluate_segmentation([[[3, 1], [0, 0]], [[3, 0], [0, 0]]], ["road", "car"], split="test")
    assert found.iou["car"] == 0.0
    assert any("holds no pixel of car, but 1 pixels were called it" in note for note in found.notes)


def test_an_interval_is_over_pictures_and_covers():
    """Pictures of a known mixture, drawn many times: about 95 of 100 intervals must hold the share of the whole."""
    chance = np.random.default_rng(0)

    def pictures(number):
        rates = chance.beta(4, 2, number)
        right = chance.binomial(400, rates)
        return np.array([[[each, 400 - each], [0, 0]] for each in right])

    truth = float(overlaps(pictures(20_000).sum(0))[0])
    held = 0
    for seed in range(60):
        found = evaluate_segmentation(pictures(40), "ab", split="t", seed=seed, draws=200)
        low, high = found.classes[0].iou_interval
        held += low <= truth <= high
    assert 50 <= held <= 60  # 57 expected; over pixels it would be about 15


def test_draws_depend_on_the_seed_alone():
    each = confusion_of(*masks(3), CLASSES)
    first, again, other = (evaluate_segmentation(each, "abcde", split="t", seed=seed) for seed in (1, 1, 2))
    assert to_plain(first) == to_plain(again) != to_plain(other)
    assert first.mean_iou == other.mean_iou


def test_one_picture_has_no_interval():
    found = evaluate_segmentation(confusion_of(*masks(4, pictures=1), CLASSES), "abcde", split="t")
    assert math.isnan(found.mean_iou_interval[0])
    assert "t has 1 picture: no score has an interval" in found.notes


def test_it_goes_through_json():
    found = evaluate_segmentation(confusion_of(*masks(5, absent=(1,)), CLASSES), "abcde", split="t")
    assert to_plain(from_plain(SegmentationEvaluation, to_plain(found))) == to_plain(found)


@pytest.mark.parametrize(
    ("said", "truth", "words"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "2x3 and the mask 3x2"),
        (np.zeros((1, 1)), np.full((1, 1), 7), "the mask holds 7, which is none of the classes 0 to 4 and no void"),
        (np.full((1, 1), -1), np.zeros((1, 1)), "the prediction holds -1"),
    ],
)
def test_what_does_not_fit_is_refused(said, truth, words):
    with pytest.raises(PictureError, match=words):
        confusion_of(said.astype(int), truth.astype(int), CLASSES)


def test_a_split_without_a_known_pixel_is_refused():
    with pytest.raises(PictureError, match="no pixel has a class"):
        evaluate_segmentation(np.zeros((2, 5, 5)), "abcde", split="test")
