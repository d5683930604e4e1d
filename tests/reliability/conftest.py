"""The scripts of benchmarks/reliability as modules: what the suite runs in short is what the long form runs in full."""

import importlib
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"


@pytest.fixture(scope="session")
def script():
    """Import a script by its name."""
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module
    sys.path.remove(str(FOLDER))


@pytest.fixture
def kept(script):
    """Run the short form of a script, and see that every case kept the promise; gives the result."""

    def run(name):
        result = script(name).work(True)
        broken = [case for case in result["details"] if not case["held"]]
        assert result["held"] == result["cases"] > 0, broken[:5]
        return result

    return run
