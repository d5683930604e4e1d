import numpy as np
import pytest
import torch

from thalweg.experiments.saddle_problems import Plane, Student
from thalweg.experiments.walkers import OPTIMIZERS, walk

TORCH = {
    "SGD": lambda point, rate: torch.optim.SGD([point], lr=rate),
    "SGD with momentum": lambda point, rate: torch.optim.SGD([point], lr=rate, momentum=0.9),
    "Adam": lambda point, rate: torch.optim.Adam([point], lr=rate),
}


@pytest.mark.parametrize("name", TORCH)
def test_the_walkers_are_torchs_optimizers(name):
    plane = Plane(bend=1.0, turned=True)
    start = plane.start(np.array([0.1, 1e-3]), np.random.default_rng(0))
    rates = np.array([0.05, 0.2])
    done = walk(name, plane.value, lambda points, _: plane.gradient(points), start, rates, steps=40, seed=0, keep_path=True)  # fmt: skip  # noqa: E501
    for run, rate in enumerate(rates):
        point = torch.tensor(start[run], requires_grad=True)
        optimizer = TORCH[name](point, float(rate))
        for _ in range(40):
            point.grad = torch.tensor(plane.gradient(point.detach().numpy()[None])[0])
            optimizer.step()
        assert done.path[-1, run].tolist() == pytest.approx(point.tolist(), rel=1e-9)


@pytest.mark.parametrize("problem", [Plane(bend=0.3, turned=False), Plane(bend=0.3, turned=True), Student(1)])
def test_gradients_are_those_of_the_values(problem):
    random = np.random.default_rng(2)
    points = problem.start(np.full(3, 0.3), random)
    found = problem.gradient(points)
    for number in range(points.shape[1]):
        step = np.zeros(points.shape[1])
        step[number] = 1e-6
        slope = (problem.value(points + step) - problem.value(points - step)) / 2e-6
        assert found[:, number].tolist() == pytest.approx(slope.tolist(), abs=1e-7)


def test_only_a_perturbation_leaves_the_exact_saddle():
    plane = Plane(bend=1.0, turned=False)
    start = plane.start(np.zeros(1), np.random.default_rng(0))
    left = {}
    for name in OPTIMIZERS:
        done = walk(
            name, plane.value, lambda points, _: plane.gradient(points), start, np.array([0.3]), steps=400, seed=0
        )
        left[name] = bool(done.losses[-1, 0] < plane.escaped_below)
    assert left == {"SGD": False, "SGD with momentum": False, "Adam": False, "perturbed SGD": True}


def test_a_run_that_leaves_all_numbers_is_at_infinity():
    plane = Plane(bend=1.0, turned=False)
    start = plane.start(np.array([1.0]), np.random.default_rng(0))
    done = walk(
        "SGD", plane.value, lambda points, _: plane.gradient(points), start, np.array([50.0]), steps=200, seed=0
    )
    assert done.losses[-1, 0] == np.inf
