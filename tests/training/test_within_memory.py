"""Answers in halves, and what is no want of memory."""

import pytest
import torch

from thalweg.training.device import choose_device
from thalweg.training.within_memory import answer_within_memory


class Holding(torch.nn.Module):
    """Holds so many samples at once, or fails as torch does on a processor."""

    def __init__(self, most, said="[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"):
        super().__init__()
        self.most, self.said, self.asked = most, said, []

    def forward(self, x):
        self.asked.append(len(x))
        if len(x) > self.most:
            raise RuntimeError(self.said)
        return 2 * x


def test_a_batch_is_answered_in_parts_that_fit_and_in_order():
    module, pixels = Holding(3), torch.arange(11.0)[:, None]
    assert torch.equal(answer_within_memory(module, pixels, choose_device("cpu")), 2 * pixels)
    assert module.asked == [11, 6, 3, 3, 5, 3, 2]


def test_what_convolutions_say_on_a_processor_is_understood():
    module = Holding(1, "could not create a primitive")
    assert len(answer_within_memory(module, torch.zeros(2, 1), choose_device("cpu"))) == 2


@pytest.mark.parametrize("most", [0, 4])
def test_one_sample_that_does_not_fit_and_other_errors_are_told(most):
    module = Holding(most)
    if most:
        module.forward = lambda _: torch.zeros(2) @ torch.zeros(3)
    with pytest.raises(RuntimeError, match="size" if most else "allocate"):
        answer_within_memory(module, torch.zeros(2, 1), choose_device("cpu"))
