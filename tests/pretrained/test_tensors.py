"""Files of weights: what is read, and what is refused without being run."""

import io
import os
import pathlib
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from thalweg.core.errors import WeightsError
from thalweg.pretrained.tensors import digest_of, read_tensors


class Hostile:
    """Pickles into a call of `os.system` that would make a file."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def weights():
    return {"conv.weight": torch.arange(6.0).reshape(1, 2, 3), "conv.bias": torch.ones(1)}


@pytest.mark.parametrize("wrap", [None, "state_dict", "model"])
def test_a_torch_file_is_read(tmp_path, wrap):
    file = tmp_path / "a.pth"
    torch.save(weights() if wrap is None else {wrap: weights(), "epoch": 3}, file)
    assert torch.equal(read_tensors(file)["conv.weight"], weights()["conv.weight"])


def test_a_safetensors_file_is_read_whatever_it_is_called(tmp_path):
    save_file(weights(), tmp_path / "a.bin")
    assert set(read_tensors(tmp_path / "a.bin")) == set(weights())


@pytest.mark.parametrize("form", ["zip", "legacy", "plain"])
def test_a_checkpoint_that_would_run_code_is_refused_and_nothing_is_run(tmp_path, form):
    mark, file = tmp_path / "executed", tmp_path / "evil.pth"
    hostile = {"conv.weight": Hostile(f"touch {mark}")}
    if form == "plain":
        file.write_bytes(pickle.dumps(hostile))
    else:
        torch.save(hostile, file, _use_new_zipfile_serialization=form == "zip")
    told = r"evil\.pth: (wants to call \S*system|is no torch file of weights.*nothing was run).*"
    with pytest.raises(WeightsError, match=told) as caught:
        read_tensors(file)
    assert not mark.exists()
    assert "\n" not in str(caught.value)


def test_a_scripted_program_is_refused(tmp_path):
    buffer = io.BytesIO()
    torch.save(weights(), buffer)
    with zipfile.ZipFile(io.BytesIO(buffer.getvalue())) as whole, zipfile.ZipFile(tmp_path / "s.pt", "w") as changed:
        for name in whole.namelist():
            changed.writestr(name, whole.read(name))
        changed.writestr(f"{name.split('/')[0]}/constants.pkl", b"\x80\x02}.")
    with pytest.raises(WeightsError, match="nothing was run"):
        read_tensors(tmp_path / "s.pt")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"PK\x03\x04 cut off", "is no whole torch file"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00{broken}", "is no whole safetensors file"),
    ],
)
def test_what_is_no_file_of_weights_is_said_in_a_line(tmp_path, content, words):
    file = tmp_path / "weights.pth"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=words) as caught:
        read_tensors(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [{"a": 3}, [torch.ones(1)], {}, {1: torch.ones(1)}])
def test_what_holds_no_named_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"no (tensor|table)"):
        read_tensors(tmp_path / "a.pth")


def test_a_missing_file_is_said():
    with pytest.raises(WeightsError, match="there is no such file"):
        read_tensors(pathlib.Path("no/such.pth"))


def test_the_digest_is_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert digest_of(tmp_path / "a").startswith("ba7816bf")
