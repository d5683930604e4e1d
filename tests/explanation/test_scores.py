import pytest
import torch

from thalweg.core.errors import SpecError
from thalweg.explanation.scores import class_probabilities, class_scores, logits_of


def test_scores_and_probabilities_of_both_kinds_of_heads():
    many, classes = torch.tensor([[1.0, 3.0], [0.0, -2.0]]), torch.tensor([1, 0])
    assert class_scores(many, classes).tolist() == [3.0, 0.0]
    assert torch.allclose(class_probabilities(many, classes), torch.softmax(many, 1)[[0, 1], classes])
    one = torch.tensor([[2.0], [2.0]])
    assert class_scores(one, classes).tolist() == [2.0, -2.0]
    assert class_probabilities(one, classes).sum().item() == pytest.approx(1)


def test_scores_at_every_position_are_averaged():
    assert logits_of(torch.arange(8.0).reshape(1, 2, 2, 2)).tolist() == [[1.5, 5.5]]
    assert logits_of(torch.zeros(4)).shape == (4, 1)


@pytest.mark.parametrize("output", ["text", (torch.zeros(1, 2), 3), torch.tensor(1.0)])
def test_what_is_no_score_is_refused(output):
    with pytest.raises(SpecError, match=r"class scores|no head"):
        logits_of(output, 1 if isinstance(output, tuple) else 0)
