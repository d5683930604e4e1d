"""The walk over trials finds the valley from wherever it lies."""

import math

import pytest
import torch

from thalweg.monitoring.rate_search import SHORT_HORIZON, Chosen, is_normalising, search_rate
from thalweg.monitoring.trials import Trial


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-6, momentum=0.9)


def valley(best: float, *, breaks: float = math.inf) -> tuple[list[float], object]:
    """Trials of an imagined network: loss 2 far below, lowest at `best`, infinite above `breaks`."""
    seen: list[float] = []

    def attempt(rate: float) -> Trial:
        seen.append(rate)
        away = math.log10(rate / best)
        loss = min(2.0, 0.5 * math.exp(away * away)) if rate < breaks else math.inf
        return Trial(rate=rate, loss=loss, start=2.0, moved=0.5 * rate / best, steps=30)

    return seen, attempt


@pytest.mark.parametrize("best", [0.003, 0.05, 0.3, 0.7, 4.0, 60.0])
def test_the_walk_ends_at_the_best_trial_corrected_for_the_horizon(best: float) -> None:
    seen, attempt = valley(best)
    chosen = search_rate(attempt, sgd(), most=9, fresh=False)
    assert abs(math.log10(chosen.rate / (best * SHORT_HORIZON["plain"]))) < 0.05
    assert len(seen) == len(set(seen)) == len(chosen.trials) <= 9
    assert chosen.spent == 30 * len(seen)
    assert chosen.learned


def test_a_cliff_beside_the_best_trial_does_not_draw_the_answer_up() -> None:
    _, attempt = valley(0.3, breaks=0.5)
    chosen = search_rate(attempt, sgd(), fresh=False)
    assert chosen.rate <= 0.32 * SHORT_HORIZON["plain"]
    assert chosen.edge == pytest.approx(1.0, rel=0.01)
    assert "breaks at 1" in chosen.message


def test_the_usual_rate_has_half_a_share_where_trials_are_within_a_decade_of_it() -> None:
    _, attempt = valley(4.0)
    alone = search_rate(attempt, sgd(), most=9, fresh=False)
    shared = search_rate(attempt, sgd(), most=9)
    assert shared.rate == pytest.approx(math.sqrt(alone.rate * 0.1))
    assert "half-way from there to the usual 0.1" in shared.reason
    assert alone.usual is None
    assert "usual" not in alone.reason


@pytest.mark.parametrize("best", [0.003, 60.0])
def test_a_problem_that_is_a_decade_from_usual_is_no_usual_one(best: float) -> None:
    assert search_rate(valley(best)[1], sgd(), most=9) == search_rate(valley(best)[1], sgd(), most=9, fresh=False)


def test_a_usual_rate_at_which_trials_break_has_no_share() -> None:
    chosen = search_rate(valley(0.1, breaks=0.05)[1], sgd(), most=9)
    assert chosen.edge is not None
    assert chosen.edge < 0.11
    assert chosen.usual is None


def test_a_rate_that_is_known_for_the_network_is_weighed_by_whoever_knows_it() -> None:
    assert search_rate(valley(4.0)[1], sgd(), most=9, usual=0.1).usual is None


def test_where_nothing_learns_it_looks_on_the_side_that_is_left() -> None:
    def broken(rate: float) -> Trial:  # all rates tried at first break
        return Trial(rate=rate, loss=2.3 if rate > 1e-3 else 1.0, start=2.3, moved=9.0, steps=30)

    def slow(rate: float) -> Trial:  # the loss is scaled so small that nothing moves
        return Trial(rate=rate, loss=2.3 if rate < 30 else 1.0, start=2.3, moved=1e-6 * rate, steps=30)

    assert search_rate(broken, sgd(), most=9).rate < 1e-3
    assert search_rate(slow, sgd(), most=9).rate > 2


def test_optimizers_that_normalise_are_told_from_others() -> None:
    weights = [torch.zeros(1, requires_grad=True)]
    assert is_normalising(torch.optim.AdamW(weights))
    assert is_normalising(type("Mine", (torch.optim.Adam,), {})(weights))
    assert not is_normalising(sgd())


def test_trials_that_end_where_they_began_have_learned_nothing() -> None:
    trial = Trial(rate=0.1, loss=2.29, start=2.3, moved=1.0, steps=30)
    assert not Chosen(rate=0.1, edge=None, trials=(trial,), spent=30).learned
