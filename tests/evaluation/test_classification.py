"""Every score against scikit-learn and torchmetrics, and the edges where ratios have no denominator."""

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from thalweg.core.codec import dumps, from_plain
from thalweg.core.errors import SourceError, TrainingFailedError
from thalweg.core.evaluation import Evaluation
from thalweg.evaluation.classification import cross_entropy, evaluate


def _drawn(seed, classes, files=300):
    """Answers somewhat better than chance, on labels of unequal frequency."""
    random = np.random.default_rng(seed)
    labels = random.choice(classes, files, p=(frequency := np.arange(1, classes + 1)) / frequency.sum())
    logits = random.normal(size=(files, classes)) + 1.2 * np.eye(classes)[labels]
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), labels


def _evaluate(probabilities, labels, **changes):
    width = np.shape(probabilities)[-1]
    options = {"classes": [f"class {k}" for k in range(width)], "split": "validation", "majority_class": 0} | changes
    return evaluate(probabilities, labels, **options)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_agrees_with_scikit_learn(classes):
    probabilities, labels = _drawn(classes, classes)
    ours, answer = _evaluate(probabilities, labels), probabilities.argmax(axis=1)
    assert ours.accuracy == pytest.approx(metrics.accuracy_score(labels, answer))
    assert ours.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(labels, answer))
    assert ours.loss == pytest.approx(metrics.log_loss(labels, probabilities, labels=range(classes)))
    assert [list(row) for row in ours.confusion] == metrics.confusion_matrix(labels, answer).tolist()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(labels, answer)
    assert [score.precision for score in ours.classes] == pytest.approx(list(precision))
    assert [score.recall for score in ours.classes] == pytest.approx(list(recall))
    assert [score.f1 for score in ours.classes] == pytest.approx(list(f1))
    assert [score.files for score in ours.classes] == list(support)
    if classes == 2:
        assert ours.auc == pytest.approx(metrics.roc_auc_score(labels, probabilities[:, 1]))
    else:
        assert ours.auc == pytest.approx(metrics.roc_auc_score(labels, probabilities, multi_class="ovr"))


@pytest.mark.parametrize("classes", [2, 4])
def test_agrees_with_torchmetrics(classes, torchmetrics):
    torch = pytest.importorskip("torch")
    theirs = torchmetrics.functional.classification
    probabilities, labels = _drawn(10 + classes, classes)
    ours = _evaluate(probabilities, labels)
    given, truth = torch.from_numpy(probabilities), torch.from_numpy(labels)
    assert ours.accuracy == pytest.approx(
        float(theirs.multiclass_accuracy(given, truth, num_classes=classes, average="micro")), abs=1e-6
    )
    assert ours.auc == pytest.approx(float(theirs.multiclass_auroc(given, truth, num_classes=classes)), abs=1e-5)
    assert [score.f1 for score in ours.classes] == pytest.approx(
        theirs.multiclass_f1_score(given, truth, num_classes=classes, average=None).tolist(), abs=1e-6
    )
    assert ours.calibration_error == pytest.approx(
        float(theirs.multiclass_calibration_error(given, truth, num_classes=classes, n_bins=15)), abs=1e-6
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 60))
def test_laws(seed, classes, files):
    probabilities, labels = _drawn(seed, classes, files)
    ours = _evaluate(probabilities, labels, majority_class=classes - 1)
    confusion = np.array(ours.confusion)
    assert confusion.sum() == ours.files == files
    assert np.trace(confusion) / files == pytest.approx(ours.accuracy)
    assert confusion[-1].sum() / files == pytest.approx(ours.majority_accuracy)
    assert ours.accuracy_interval[0] <= ours.accuracy <= ours.accuracy_interval[1]
    assert sum(bar.files for bar in ours.calibration) == files
    weighted = sum(score.files * score.recall for score in ours.classes if score.files) / files
    assert weighted == pytest.approx(ours.accuracy)
    assert ours.loss >= 0


@given(st.integers(0, 2**32 - 1), st.permutations(range(4)))
def test_the_order_of_classes_does_not_matter(seed, order):
    probabilities, labels = _drawn(seed, 4, 80)
    place = np.argsort(order)
    first, second = _evaluate(probabilities, labels), _evaluate(probabilities[:, list(order)], place[labels])
    for name in ("accuracy", "balanced_accuracy", "loss", "calibration_error"):
        assert getattr(second, name) == pytest.approx(getattr(first, name))
    assert second.auc == pytest.approx(first.auc)


def test_majority_is_the_training_splits_class_on_this_split():
    ours = _evaluate([[0.9, 0.1]] * 4, [0, 1, 1, 1], classes=["cat", "dog"], majority_class=0)
    assert (ours.majority_class, ours.majority_accuracy) == ("cat", 0.25)


def test_one_class_only_in_the_split():
    ours = _evaluate([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    assert ours.accuracy == ours.balanced_accuracy == 0.5
    assert math.isnan(ours.auc)
    assert math.isnan(ours.classes[1].recall)
    assert ours.classes[1].precision == 0
    assert ours.classes[1].f1 == 0


def test_a_class_neither_present_nor_answered_has_no_scores_and_does_not_spoil_the_means():
    probabilities = [[0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.6, 0.4, 0.0]]
    ours = _evaluate(probabilities, [0, 1, 1])
    assert all(math.isnan(getattr(ours.classes[2], name)) for name in ("precision", "recall", "f1", "auc"))
    assert ours.balanced_accuracy == 0.75
    assert ours.auc == 1


def test_certain_and_wrong_costs_much_but_not_infinitely_much():
    ours = _evaluate([[1.0, 0.0], [0.0, 1.0]], [1, 1])
    assert ours.loss == pytest.approx(36.04 / 2, abs=0.01)
    assert cross_entropy(np.array([[1.0, 0.0]]), np.array([0])) == 0


def test_tiny_probabilities_still_rank():
    ours = _evaluate([[1 - 1e-18, 1e-18], [1 - 1e-30, 1e-30]], [1, 0])
    assert [score.auc for score in ours.classes] == [1, 1]


def test_single_precision_of_a_network_is_accepted():
    probabilities, labels = _drawn(3, 3)
    ours = _evaluate(probabilities.astype(np.float32), labels.astype(np.uint8))
    assert ours.accuracy == _evaluate(probabilities, labels).accuracy


def test_survives_json():
    ours = _evaluate([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    again = from_plain(Evaluation, json.loads(dumps(ours)))
    assert dumps(again) == dumps(ours)
    assert dataclasses.asdict(again)["accuracy_interval"] == ours.accuracy_interval


def test_an_empty_split_is_refused_by_name():
    with pytest.raises(SourceError, match="the validation split has no files"):
        _evaluate(np.empty((0, 2)), np.empty(0, dtype=int))


def test_answers_that_are_not_numbers_are_counted():
    probabilities = np.full((5, 2), 0.5)
    probabilities[1] = np.nan
    probabilities[3, 0] = np.inf
    with pytest.raises(TrainingFailedError, match=r"validation: .* 2 of 5 files"):
        _evaluate(probabilities, [0] * 5)


@pytest.mark.parametrize(
    ("probabilities", "labels", "options", "message"),
    [
        ([[2.0, -1.0]], [0], {}, "look like logits"),
        ([[0.9, 0.3]], [0], {}, "look like logits"),
        ([[0.5, 0.5]], [2], {}, "labels are whole numbers from 0 to 1, not 2 to 2"),
        ([[0.5, 0.5]], [0.5], {}, "labels are whole numbers"),
        ([[0.5, 0.5]], [0, 1], {}, r"shape \(1, 2\) and labels of shape \(2,\)"),
        ([[1.0]], [0], {}, "two classes or more"),
        ([[0.5, 0.5]], [0], {"majority_class": 2}, "majority_class is 2"),
    ],
)
def test_what_no_classifier_gives_is_refused(probabilities, labels, options, message):
    with pytest.raises(ValueError, match=message):
        _evaluate(probabilities, labels, **options)


def test_needs_no_torch():
    code = (
        "import sys, thalweg.evaluation.classification, thalweg.evaluation.mistakes; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
