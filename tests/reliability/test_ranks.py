"""Several ranks: the samples and losses of one, a rank that is killed, a stop that reaches all, memory that runs out.

The long forms are world_size.py, rank_loss.py and memory.py in benchmarks/reliability. Ranks are forked here where that
will do: a launcher's start costs seconds.
"""

import csv
import json
import os
import signal

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the scripts fork, so as to import torch once")


def test_two_ranks_train_on_the_samples_of_one_and_come_to_its_losses(kept):
    (case,) = kept("world_size")["details"]
    assert case["same_samples"]
    assert case["every_sample_once_an_epoch"]
    assert case["largest_relative_difference_of_loss"] <= 1e-5


@pytest.fixture(scope="module")
def sharded(script):
    """The short form of shards.py, once: a network in shards on two ranks, and both ways to go on with it."""
    return script("shards").work(True)["details"]


def test_two_ranks_with_half_the_weights_each_come_to_the_losses_of_one(sharded):
    case = sharded[0]
    assert case["same_samples"]
    assert case["same_files"]
    assert case["largest_relative_difference_of_loss"] <= 1e-5
    for part in ("weights", "gradients", "optimizer", "average"):
        for rank in case["bytes_of_each_rank"]:
            assert rank[part] < 0.51 * case["bytes_of_one_process"][part]


@pytest.mark.parametrize("place", [1, 2], ids=["from shards", "into shards"])
def test_a_run_goes_on_whether_its_weights_lay_in_shards_or_not(sharded, place):
    case = sharded[place]
    assert 0 < case["stopped_after_step"] < case["steps"]
    assert case["largest_relative_difference_of_loss"] <= 1e-5


def test_a_rank_that_is_killed_is_noticed_and_the_run_goes_on_by_itself_to_the_bit(kept):
    (case,) = kept("rank_loss")["details"]
    assert case["wrong"] == []
    assert "lost another rank" in case["said"][0]
    assert case["recovered_after_seconds"] > 0


def test_a_batch_that_does_not_fit_is_computed_in_pieces(kept):
    (case,) = kept("memory")["details"]
    assert "in 2 pieces" in case["told"][0]


def test_one_seed_gives_the_same_bits_twice_and_another_seed_others(kept):
    (case,) = kept("same_seed")["details"]
    assert case["another_seed_differs"]
    assert len(case["compared"]) >= 4


@pytest.fixture(scope="module")
def stopped(script, tmp_path_factory):
    """Two ranks with batch normalisation, of which one is told to stop at step 4; then one rank alone goes on."""
    import thalweg

    folder = tmp_path_factory.mktemp("stopped")
    photos = script("outcome").make_photos(folder / "photos", count=20)
    options = {"network": "plain", "image_size": 32, "batch_size": 8, "epochs": 2, "lr": 0.001, "split": "60/20/20"}

    def work(rank):
        import torch

        from thalweg.training.loop import Trainer

        torch.set_num_threads(1)
        step = Trainer._step

        def asked(self, *words):
            step(self, *words)
            if rank == 1 and self.state.step == 3:
                os.kill(os.getpid(), signal.SIGTERM)

        Trainer._step = asked
        result = thalweg.train(photos, out=folder / "run", **options)
        (folder / f"answer-{rank}").write_text(json.dumps(result.to_json(), default=str))

    statuses = script("world_size").in_ranks(2, work)
    return folder, statuses, sorted(path.name for path in folder.glob("run/checkpoints/step-*"))


def test_a_stop_of_one_rank_stops_all_after_the_same_step(stopped):
    folder, statuses, saved = stopped
    assert statuses == [0, 0]
    answers = [json.loads((folder / f"answer-{rank}").read_text()) for rank in range(2)]
    assert [answer["interrupted"] for answer in answers] == [143, 143]
    assert answers[0] == answers[1]
    assert [int(name[5:14]) for name in saved] in ([3], [4])


def test_what_is_noted_of_the_network_is_of_the_whole_batch(stopped):
    folder, *_ = stopped
    lines = map(json.loads, (folder / "run" / "signals.jsonl").read_text().splitlines())
    facts = next(line["network"] for line in lines if "network" in line)
    assert (facts["batch_size"], facts["ranks"]) == (8, 2)
    norms = [layer for layer in facts["layers"] if layer["kind"] == "BatchNorm2d"]
    assert norms
    assert all(layer["spread"] for layer in norms)


def test_one_rank_goes_on_from_the_checkpoint_of_two(stopped):
    import thalweg

    folder, *_ = stopped
    assert thalweg.resume(folder / "run").epochs == 2
    steps = [int(row["step"]) for row in csv.DictReader((folder / "run" / "steps.csv").read_text().splitlines())]
    assert steps == list(range(1, 7))
    assert not list(folder.glob("run/checkpoints/.writing-*"))
