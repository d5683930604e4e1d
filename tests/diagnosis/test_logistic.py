import pytest

from thalweg.diagnosis.logistic import Logistic

NAMES = (
    "overfitting_loss",
    "overfitting_loss_alone",
    "overfitting_accuracy",
    "overfitting_accuracy_alone",
)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_regressions_ask_for_what_is_measured(name: str) -> None:
    model = Logistic.named(name)
    assert {"rise", "clear"} <= set(model.weights)


def test_far_sums_stay_probabilities() -> None:
    model = Logistic(weights={"x": 1e6}, intercept=0.0)
    assert model.probability({"x": 1.0}) == pytest.approx(1.0)
    assert model.probability({"x": -1.0}) == pytest.approx(0.0)
