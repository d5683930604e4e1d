import pytest
import torch

from thalweg.curvature.trace import trace


def test_random_probes_come_near_and_know_how_near():
    random = torch.Generator().manual_seed(5)
    root = torch.randn(200, 200, generator=random)
    matrix = root @ root.T / 200
    found = trace(lambda vector: matrix @ vector, [torch.zeros(200)], probes=40)
    assert 0 < found.standard_error < 0.05 * float(matrix.trace())
    assert found.value == pytest.approx(float(matrix.trace()), abs=4 * found.standard_error)


def test_few_rows_are_exact():
    matrix = torch.tensor([[2.0, 5.0], [5.0, -7.0]])
    found = trace(lambda vector: matrix @ vector, [torch.zeros(2)])
    assert (found.value, found.standard_error, found.samples) == (-5.0, 0.0, 0)
