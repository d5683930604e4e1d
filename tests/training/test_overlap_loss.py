"""The Lovász-softmax loss: the overlap itself where answers are certain, sums over pieces, nothing from void."""

import numpy as np
import pytest
import torch

import thalweg
from thalweg.core.errors import PlanError
from thalweg.core.plan import TrainingPlan
from thalweg.training.loss import cross_entropy, objective, overlap_loss


def labels_and_logits(seed=0):
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (3, 12, 10), generator=chance)
    labels[0, :5] = 255
    labels[2] = 255
    return labels, torch.randn(3, 5, 12, 10, generator=chance)


def test_certain_answers_lose_what_their_overlap_lacks():
    labels, _ = labels_and_logits()
    answers = torch.randint(0, 5, (1, 12, 10), generator=torch.Generator().manual_seed(1))
    certain = 100 * torch.nn.functional.one_hot(answers, 5).permute(0, 3, 1, 2).float()
    said, true = answers[:, ::2, ::2], labels[1:2, ::2, ::2]
    lacking = [1 - float(((said == k) & (true == k)).sum() / ((said == k) | (true == k)).sum()) for k in true.unique()]
    assert float(overlap_loss(certain, labels[1:2])) == pytest.approx(np.mean(lacking), abs=1e-6)


def test_pieces_add_up_to_the_batch_and_void_counts_for_nothing():
    labels, logits = labels_and_logits()
    known = (labels != 255).flatten(1).sum(1)
    pieces = [overlap_loss(logits[n : n + 1], labels[n : n + 1]) * known[n] for n in range(3)]
    assert float(sum(pieces) / known.sum()) == pytest.approx(float(overlap_loss(logits, labels)), abs=1e-6)
    changed = logits.clone()
    changed[0, :, :5] += 3.0
    changed[2] = 7.0
    assert float(overlap_loss(changed, labels)) == float(overlap_loss(logits, labels))
    assert float(overlap_loss(logits[2:], labels[2:])) == 0.0


def test_the_gradient_is_that_of_finite_differences():
    labels, logits = labels_and_logits(3)
    assert torch.autograd.gradcheck(
        lambda values: overlap_loss(values, labels[:1]).double(),
        logits[:1].double().requires_grad_(),
        eps=1e-3,
        atol=2e-3,
        rtol=2e-2,
    )


def test_it_stands_beside_the_cross_entropy_and_only_for_pixels():
    labels, logits = labels_and_logits()
    both = objective(logits, labels, overlap=0.5)
    assert float(both) == pytest.approx(float(cross_entropy(logits, labels) + 0.5 * overlap_loss(logits, labels)))
    assert objective(logits[:, :, 0, 0], labels[:, 5, 0].clamp(max=3), overlap=9.0) == cross_entropy(
        logits[:, :, 0, 0], labels[:, 5, 0].clamp(max=3)
    )


def test_a_run_keeps_it_in_its_plan_and_learns(street_folder, photo_folder, tmp_path):
    run = thalweg.train(
        street_folder, out=tmp_path / "run", epochs=4, batch_size=8, lr=0.004, overlap_loss=1.0, repair=False, seed=3
    )
    plan = TrainingPlan.from_toml((tmp_path / "run" / "plan.toml").read_text(encoding="utf-8"))
    assert plan.overlap_loss == 1.0
    assert run.mean_iou > 0.5
    assert "Lovász" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    with pytest.raises(PlanError, match=r"--overlap-loss 1 is for pictures with masks"):
        thalweg.train(photo_folder, out=tmp_path / "photos", epochs=1, overlap_loss=1.0)
