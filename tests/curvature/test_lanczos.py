import json
import pathlib

import pytest
import torch

from thalweg.core.errors import PlanError
from thalweg.curvature import lanczos
from thalweg.curvature.lanczos import Krylov, extreme_eigenvalues
from thalweg.curvature.product import hessian_product

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "curvature_reference.json"


@pytest.mark.parametrize("widest", [200, 30])
def test_both_ends_are_those_of_the_full_hessian(network, blobs, pieces, full_hessian, monkeypatch, widest):
    monkeypatch.setattr(lanczos, "WIDEST_BASIS", widest)  # with and without restarts
    module = network(8)
    inputs, labels = (part[:64] for part in blobs)
    losses, weights = pieces(module, inputs, labels, count=2), list(module.parameters())
    truth = torch.linalg.eigvalsh(full_hessian(losses, weights))
    found = extreme_eigenvalues(hessian_product(losses, weights), weights, 3)
    assert found.converged
    assert [pair.value for pair in found.top] == pytest.approx(truth.flip(0)[:3].tolist(), rel=1e-4)
    assert [pair.value for pair in found.bottom] == pytest.approx(truth[:3].tolist(), rel=1e-4)
    for pair in (*found.top, *found.bottom):
        assert float((truth - pair.value).abs().min()) <= pair.residual + 1e-6


def test_residuals_and_vectors_are_what_they_say():
    matrix = torch.diag(torch.linspace(-1, 3, 60, dtype=torch.float64))
    found = extreme_eigenvalues(lambda vector: matrix @ vector, [torch.zeros(60, dtype=torch.float64)], 2)
    for pair in (*found.top, *found.bottom):
        assert float(pair.vector.norm()) == pytest.approx(1)
        assert float((matrix @ pair.vector - pair.value * pair.vector).norm()) == pytest.approx(pair.residual, abs=1e-9)


def test_repeated_and_zero_eigenvalues_are_found():
    matrix = torch.diag(torch.tensor([5.0, 5.0, *[0.0] * 40, -2.0]))
    found = extreme_eigenvalues(lambda vector: matrix @ vector, [torch.zeros(43)], 2, bottom=1)
    assert [round(pair.value, 4) for pair in found.top] == [5, 5]
    assert found.bottom[0].value == pytest.approx(-2, abs=1e-4)
    nothing = extreme_eigenvalues(lambda vector: 0 * vector, [torch.zeros(100_000)])
    assert (nothing.top[0].value, nothing.bottom[0].value, nothing.converged) == (0, 0, True)
    assert nothing.products < 12


def test_what_is_not_finite_or_not_asked_for_is_refused():
    with pytest.raises(PlanError, match="not finite"):
        extreme_eigenvalues(lambda vector: vector * torch.nan, [torch.zeros(5)])
    with pytest.raises(PlanError, match="0 largest and 0 smallest"):
        extreme_eigenvalues(lambda vector: vector, [torch.zeros(5)], 0)


def test_the_random_state_is_not_touched():
    before = torch.random.get_rng_state()
    extreme_eigenvalues(lambda vector: vector * torch.arange(9.0), [torch.zeros(9)])
    assert torch.equal(before, torch.random.get_rng_state())


def test_equal_to_curvlinops():
    """benchmarks/curvature_reference.py wrote these numbers with curvlinops and scipy on a network without chance."""
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    inputs = torch.sin(torch.arange(64 * 10, dtype=torch.float64)).reshape(64, 10)
    labels = torch.arange(64) % 4
    module = torch.nn.Sequential(torch.nn.Linear(10, 20), torch.nn.Tanh(), torch.nn.Linear(20, 4)).double()
    with torch.no_grad():
        for number, weight in enumerate(module.parameters()):
            weight.copy_(torch.cos(torch.arange(weight.numel()) * (1.3 + number)).reshape(weight.shape) * 0.7)
    weights = list(module.parameters())
    product = hessian_product(lambda: torch.nn.functional.cross_entropy(module(inputs), labels), weights)
    found = extreme_eigenvalues(product, weights, 3)
    assert reference["curvlinops"] >= "3"
    assert [pair.value for pair in found.top] == pytest.approx(reference["top"], rel=1e-3)
    assert [pair.value for pair in found.bottom] == pytest.approx(reference["bottom"], rel=1e-3)
    trace = sum(float(row @ product(row)) for row in torch.eye(product.size, dtype=torch.float64))
    assert trace == pytest.approx(reference["trace"], rel=1e-3)


def test_a_start_too_short_for_its_squares_is_still_a_direction():
    start = torch.full((6,), 1e-25)
    krylov = Krylov(lambda vector: torch.arange(1.0, 7.0) * vector, start, 6, 6, 0, start=start)
    krylov.grow(6)
    assert krylov.ritz()[0].tolist() == pytest.approx([1, 2, 3, 4, 5, 6], rel=1e-4)
