"""The whole package on a device that is not the processor: `far_device.py` plays one, so that no GPU is needed.

It cannot tell how fast a GPU is, nor what its kernels round; it tells whether everything lies where it must, that the
numbers are those of the processor, and how often a step waits for the device.
"""

import json
import pathlib
import statistics
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent


def told(kind, folder):
    words = [sys.executable, str(HERE / "far_runs.py"), kind, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def cuda(tmp_path_factory):
    return told("cuda", tmp_path_factory.mktemp("cuda"))


@pytest.fixture(scope="module")
def apple(tmp_path_factory):
    return told("apple", tmp_path_factory.mktemp("apple"))


@pytest.mark.parametrize("kind", ["pictures", "masks"])
def test_training_on_a_device_gives_the_losses_of_the_processor(cuda, kind):
    here, there = cuda[kind]["cpu"], cuda[kind]["far"]
    assert len(here) == len(there) > 0
    for one, other in zip(here, there, strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_a_run_of_a_device_is_evaluated_and_predicts_there_as_on_the_processor(cuda):
    there, here = cuda["evaluated"]
    assert there == here
    there, here = cuda["predicted"]
    assert there == pytest.approx(here, abs=1e-6)


def test_a_step_rarely_waits_for_the_device_however_many_layers_are_measured(cuda):
    waits = cuda["waits"][1:]  # the first step learns which loss it is
    assert 1 <= statistics.median(waits) <= 10
    assert max(waits) <= 25  # far fewer than the 39 weights and 12 activations that are measured


def test_where_there_are_no_doubles_a_run_learns_all_the_same(apple):
    assert apple["signals"][-1][1] < apple["signals"][0][1] < 0.69


def test_where_there_are_no_doubles_a_watched_loop_is_rescued_all_the_same(apple):
    assert apple["watched"] < 0.5
