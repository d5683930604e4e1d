"""The generators of `benchmarks/derive.py`, so that a short form of the benchmark runs here."""

import importlib
import pathlib
import random

import pytest

_BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="session")
def generators():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(_BENCHMARKS))
        yield {name: importlib.import_module(f"derivations.{name}") for name in ("answers", "cases", "rewriting")}


@pytest.fixture(scope="session")
def random_cases(generators):
    return [generators["cases"].random_case(random.Random(f"test-{number}")) for number in range(28)]
