import math
import os
import sys

import pytest
import torch

from thalweg.core.errors import MissingExtraError, TrainingFailedError
from thalweg.experiments.many import in_processes, spread_over_ray
from thalweg.workbench.telling.telling import Listener


def test_answers_come_in_order_from_several_processes():
    counted = []
    listener = Listener(say=print, count=lambda *what: counted.append(what), train=print)
    assert in_processes(math.pow, 2.0, [1, 2, 3], workers=2, listener=listener) == [2.0, 4.0, 8.0]
    assert counted == [("trainings", number, 3) for number in (1, 2, 3)]


def test_what_the_work_raises_is_raised_here():
    with pytest.raises(ValueError, match="math domain error"):
        in_processes(math.pow, 0.0, [1.0, -1.0], workers=2)


def test_a_process_that_dies_is_told():
    with pytest.raises(TrainingFailedError, match=r"died .*--workers 1"):
        in_processes(_die, os.getpid(), [1, 2], workers=2)


def _die(parent, _):
    if os.getpid() != parent:
        os._exit(3)


def test_one_worker_and_several_come_to_the_same_bits_whatever_the_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        alone = in_processes(_added_up, 200_003, [1, 2, 3], workers=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert alone == in_processes(_added_up, 200_003, [1, 2, 3], workers=2)
    assert alone[0][1] == 1


def _added_up(count, seed):
    """A sum whose last bits depend on the order of its parts, and the threads that made it."""
    values = torch.randn(count, generator=torch.Generator().manual_seed(seed))
    return float((values * values).sum()), torch.get_num_threads()


def test_without_ray_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"ray is needed .*thalweg\[ray\]"), spread_over_ray(wanted=True):
        in_processes(math.pow, 2.0, [1, 2], workers=2)


def test_a_ray_cluster_comes_to_the_same_bits():
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    alone = in_processes(_added_up, 200_003, [1, 2, 3], workers=1)
    with spread_over_ray(wanted=True):
        assert in_processes(_added_up, 200_003, [1, 2, 3], workers=2) == alone
