"""Checkpoints: every flipped bit and every cut is noticed, and the one before serves, with its best weights."""

import errno
import math

import numpy as np
import pytest
import torch

from thalweg.core.errors import RunError
from thalweg.training import checkpoint
from thalweg.training.checkpoint import latest_checkpoint, load_weights, save_checkpoint, save_weights

TENSORS = {"model/weight": torch.arange(12.0).reshape(3, 4), "model/steps": torch.tensor(7)}


def saved(folder, step=1):
    return save_checkpoint(folder, step, TENSORS, {"step": step, "best_accuracy": 0.8125, "best_loss": math.inf})


def test_what_is_saved_is_read_back(tmp_path):
    saved(tmp_path)
    tensors, position, complaints = latest_checkpoint(tmp_path)
    assert complaints == []
    assert position == {"step": 1, "best_accuracy": 0.8125, "best_loss": None}
    assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())


def test_an_empty_folder_has_no_checkpoint(tmp_path):
    assert latest_checkpoint(tmp_path) is None


def test_any_flipped_bit_is_noticed(tmp_path):
    path = saved(tmp_path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    random = np.random.default_rng(0)
    places = [*range(8, header), *random.integers(header, len(whole), 20)]  # all of the header, some of the numbers
    for place in places:
        harmed = bytearray(whole)
        harmed[place] ^= 1 << int(random.integers(8))
        path.write_bytes(harmed)
        try:
            tensors, position, _ = latest_checkpoint(tmp_path)
        except RunError:
            continue
        assert position == {"step": 1, "best_accuracy": 0.8125, "best_loss": None}
        assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())


def test_any_cut_is_noticed(tmp_path):
    path = saved(tmp_path)
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 20).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match=r"no checkpoint in .* is whole"):
            latest_checkpoint(tmp_path)


def test_a_damaged_checkpoint_is_removed_once_an_older_one_serves(tmp_path):
    saved(tmp_path, 1)
    newest = saved(tmp_path, 2)
    newest.write_bytes(newest.read_bytes()[:50])
    _, position, (complaint,) = latest_checkpoint(tmp_path)
    assert position["step"] == 1
    assert newest.name in complaint
    assert not newest.exists()
    saved(tmp_path, 3)  # would have pushed the good one out
    assert len(list(tmp_path.glob("step-*"))) == 2


def test_the_two_newest_are_kept(tmp_path):
    for step in (1, 2, 10):
        saved(tmp_path, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-000000002.safetensors",
        "step-000000010.safetensors",
    ]


@pytest.mark.parametrize("point", ["mkstemp", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_checkpoint_and_no_debris(tmp_path, monkeypatch, point):
    saved(tmp_path, 1)

    def full(*words, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"thalweg.core.files.{'tempfile' if point == 'mkstemp' else 'os'}.{point}", full)
        with pytest.raises(OSError, match="No space"):
            saved(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001.safetensors"]
    assert latest_checkpoint(tmp_path)[1]["step"] == 1


def test_weights_of_another_network_are_refused_in_a_sentence(tmp_path):
    save_weights(torch.nn.Linear(2, 3), tmp_path / "w.safetensors")
    with pytest.raises(RunError, match=r"w.safetensors does not fit the network: .*size mismatch"):
        load_weights(torch.nn.Linear(2, 4), tmp_path / "w.safetensors")
    with pytest.raises(RunError, match="does not exist"):
        load_weights(torch.nn.Linear(2, 3), tmp_path / "none.safetensors")


def test_optimizer_state_comes_back_in_the_memory_order_of_its_weights():
    module = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 3, 5, 5)).sum().backward()
    optimizer.step()
    packed = checkpoint.pack_optimizer(module, optimizer)
    fresh = torch.optim.Adam(module.parameters())
    checkpoint.unpack_optimizer(module, fresh, {name: value.contiguous() for name, value in packed.items()})
    for parameter in module.parameters():
        for key, value in optimizer.state[parameter].items():
            assert torch.equal(fresh.state[parameter][key], value)
            assert fresh.state[parameter][key].stride() == value.stride()
