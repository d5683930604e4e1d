"""A factor never speaks against its verdict: neither in the answer, nor in its words, nor in what is advised."""

import itertools

import pytest

from thalweg.core.history import RunHistory
from thalweg.diagnosis.case import open_case
from thalweg.diagnosis.rate_model import Opinion

ENDS = (-4.0, -2.11, -1.0, -0.3, -0.05, 0.0, 0.05, 0.3, 1.0, 2.11, 4.0)
HISTORY = RunHistory.from_epochs([{"epoch": n, "train_loss": 2.3 - 0.01 * n} for n in range(1, 9)])


def _opinion(verdict: str, logs: tuple[float, float, float], chance: float) -> Opinion:
    chances = dict.fromkeys(("too_low", "about_right", "too_high"), (1 - chance) / 2) | {verdict: chance}
    return Opinion(chances=chances, factor=logs, undetermined_below=0.45)  # type: ignore[arg-type]


@pytest.mark.parametrize("chance", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("verdict", ["too_low", "too_high"])
def test_a_factor_lies_on_its_verdicts_side(verdict: str, chance: float) -> None:
    for logs in itertools.combinations_with_replacement(ENDS, 3):
        found = _opinion(verdict, logs, chance).conclude("", ())
        assert found.factor is not None
        off = 1 / found.factor if verdict == "too_low" else found.factor
        assert 1.9 <= off <= 30.1
        low, high = found.interval or (None, None)
        assert low is None or low <= found.factor
        assert high is None or high >= found.factor
        near = found.span[1] if verdict == "too_low" else found.span[0]
        assert near is None or (near <= 1 if verdict == "too_low" else near >= 1)
        case = open_case(HISTORY, found)
        (way,) = case.raise_rate() if verdict == "too_low" else case.lower_rate()
        scale = float(str(way.edit["learning_rate_factor"]))
        assert way.code == ("raise_learning_rate" if verdict == "too_low" else "lower_learning_rate")
        assert scale >= 1.9 if verdict == "too_low" else scale <= 1 / 1.9


@pytest.mark.parametrize(
    ("verdict", "said"), [("too_low", "10x too low (1x to over 30x"), ("about_right", "about right")]
)
def test_an_interval_of_which_nothing_is_known_is_none_and_the_words_stay(verdict: str, said: str) -> None:
    found = _opinion(verdict, (-2.0, -1.0, 2.0), 0.8).conclude("", ())
    assert (found.interval, found.to_json()["interval"]) == (None, None)
    assert str(found).startswith(said)
    one_end = _opinion(verdict, (-2.0, -1.0, -0.5), 0.8).conclude("", ())
    assert one_end.interval == (None, pytest.approx(0.316, abs=1e-3))


def test_a_middle_on_the_wrong_side_gives_way_to_the_usual_factor() -> None:
    found = _opinion("too_low", (-2.11, 0.4, 1.9), 0.89).conclude("", ())
    assert found.factor == pytest.approx(10**-1.13, rel=0.01)
    assert str(found) == "13x too low (1x to over 30x, 89 % sure)"
    assert _opinion("too_low", (-2.11, -0.8, 1.9), 0.89).conclude("", ()).factor == pytest.approx(10**-0.8, rel=0.01)
    assert _opinion("about_right", (-0.4, 0.05, 0.3), 0.9).conclude("", ()).factor == pytest.approx(1.12, rel=0.01)
