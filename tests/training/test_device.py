"""Threads follow from the work of a step, and from the user's word before that."""

import pytest
import torch

from thalweg.core.errors import PlanError
from thalweg.training.device import MACS_A_THREAD, Device, choose_device, fitting_threads, threads_for

CPU = Device("cpu", None)


def test_more_work_never_takes_fewer_threads_nor_more_than_there_are():
    counts = [threads_for(macs, 4) for macs in range(0, 6 * MACS_A_THREAD, MACS_A_THREAD // 3)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, 4)


@pytest.mark.parametrize(
    ("device", "macs", "said", "threads"),
    [
        (CPU, 1, None, 1),
        (CPU, 10 * MACS_A_THREAD, None, 2),
        (CPU, 1, "2", 2),  # the user has decided
        (CPU, 0, None, 2),
        (Device("cuda", None), 1, None, 2),
    ],
)
def test_a_small_step_has_one_thread_and_leaves_the_others_as_they_were(monkeypatch, device, macs, said, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    kept = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with fitting_threads(device, macs):
            assert torch.get_num_threads() == threads
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(kept)


@pytest.mark.parametrize("wish", ["gpu", "", "cuda:0"])
def test_what_is_no_device_is_refused_with_those_that_are(wish):
    with pytest.raises(PlanError, match=f"--device {wish}: choose one of auto, cuda, mps, cpu"):
        choose_device(wish)
