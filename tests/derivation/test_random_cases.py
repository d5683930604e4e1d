"""The short form of `benchmarks/derive.py`: random cases against the slow twin and float64 autograd."""

import pytest

from thalweg.workbench.derive import derive


@pytest.mark.parametrize("part", range(4))
def test_random_cases_equal_autograd(random_cases, part):
    for options in random_cases[part::4]:
        answer = derive(**options, prove=True)
        assert answer.proved, (options, answer.proof)
        assert answer.self_check.passed, options
