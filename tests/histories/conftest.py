"""The samples that the libraries themselves wrote, what they reported, and curves as plain pairs."""

import json
import math
import pathlib

import pytest

from thalweg.histories.reading import read

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "log_samples"


@pytest.fixture
def samples():
    """The folder of samples."""
    return SAMPLES


@pytest.fixture
def curve():
    """The points of one curve, or None."""

    def _curve(run, name):
        signal = run.history.signal(name)
        return None if signal is None else dict(zip(signal.steps, signal.values, strict=True))

    return _curve


@pytest.fixture
def points():
    """Values one after another from 1, as the truth has them: numbers, or words for NaN and infinity."""
    return lambda values: {place: float(value) for place, value in enumerate(values, start=1)}


@pytest.fixture
def near():
    """Whether two curves are the same, NaN and infinity included."""

    def _near(found, wanted, tolerance=1e-6):
        assert found is not None
        assert list(found) == list(wanted)
        return all(
            (math.isnan(wanted[at]) and math.isnan(found[at]))
            or found[at] == wanted[at]
            or math.isclose(found[at], wanted[at], rel_tol=tolerance)
            for at in wanted
        )

    return _near


@pytest.fixture
def sample():
    """Read a sample and what its library reported."""

    def _read(name, part=""):
        truth = json.loads((SAMPLES / name / "truth.json").read_text(encoding="utf-8"))
        return read(SAMPLES / name / part), truth.get(part, truth)

    return _read


@pytest.fixture
def log(tmp_path):
    """Write a log and read it."""

    def _log(name, content, **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8", newline="")
        return read(path, **options)

    return _log
