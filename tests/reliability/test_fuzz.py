"""Damaged inputs of every reader; benchmarks/reliability/fuzz.py has the long form, pictures have their own."""

import io
import json
import zipfile

import numpy as np
import pytest

import thalweg
from thalweg.core.errors import RunError, SourceError, SpecError, ThalwegError
from thalweg.core.history import epochs_from_csv
from thalweg.core.plan import TrainingPlan
from thalweg.core.run_folder import RunFolder
from thalweg.data.formats.npz import read_npz
from thalweg.data.masks.classes import find_table


def test_changed_originals_give_an_answer_or_one_sentence(kept):
    result = kept("fuzz")
    assert result["cases"] == 19
    assert result["inputs"] == 19 * 25


def test_a_carriage_return_in_a_history_is_told_with_its_line():
    with pytest.raises(RunError, match=r"line \d is not a row of numbers"):
        epochs_from_csv("epoch,train_loss\n1,0.5\rx,\n", "history.csv")


def test_a_compressed_stream_that_breaks_is_a_damaged_file(tmp_path):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).normal(size=(50, 4)), y=np.zeros(50))
    with zipfile.ZipFile(path) as box:
        start = box.getinfo("x.npy").header_offset + 60
    data = bytearray(path.read_bytes())
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"is no readable \.npz file"):
        read_npz(path)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda data: data.replace(b"\x93NUMPY", b"\x93NUMPX", 1), r"x\.npy does not begin as an array does"),
        (lambda data: data.replace(b"), }", b", , ", 1), r"is no readable \.npz file"),
    ],
    ids=["no magic", "a header that is never closed"],
)
def test_a_damaged_header_of_an_array_is_a_sentence(tmp_path, harm, words):
    held = io.BytesIO()
    np.save(held, np.random.default_rng(0).normal(size=(50, 4)))
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as box:
        box.writestr("x.npy", harm(held.getvalue()))
        box.writestr("notes.txt", "taken in spring")
    with pytest.raises(SourceError, match=words):
        read_npz(tmp_path / "data.npz")


def test_a_note_beside_arrays_is_passed_over(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.zeros((50, 4)), y=np.zeros(50))
    with zipfile.ZipFile(tmp_path / "data.npz", "a") as box:
        box.writestr("notes.txt", "taken in spring")
    assert len(read_npz(tmp_path / "data.npz")[0].pictures) == 50


def test_a_carriage_return_in_a_table_of_classes_is_told_with_its_line(tmp_path):
    (tmp_path / "classes.csv").write_bytes(b'name,r,g,b\nsky,1,2,3\nro"ad\r,4,5,6\n"car,7,8,9\n')
    with pytest.raises(SourceError, match=r"classes\.csv, line \d: .* is no class"):
        find_table(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("minutes", r"plan\.toml\.minutes: a whole number of 400 digits"),
        ("epochs", r"--epochs 999999999999\.\.\. is out of range: 1 to 1,000,000"),
        ("seed", r"--seed 999999999999\.\.\. is out of range"),
    ],
)
def test_a_whole_number_beyond_all_others_is_a_sentence(name, words):
    text = TrainingPlan(source="x").to_toml().replace("seed = 42\n", "")
    with pytest.raises(ThalwegError, match=words):
        TrainingPlan.from_toml(f"{text}{name} = {'9' * 400}")


def test_infinity_and_what_is_no_number_are_out_of_range():
    with pytest.raises(ThalwegError, match="--minutes nan is out of range"):
        TrainingPlan(source="x", minutes=float("nan"))
    with pytest.raises(ThalwegError, match=r"--lr inf is out of range"):
        TrainingPlan(source="x", learning_rate=float("inf"))


def test_a_mean_in_brackets_that_is_no_number_is_left_out(tmp_path):
    log = tmp_path / "train.log"
    log.write_text("".join(f"Epoch: [{n}][0/3]\tLoss {2.3 - n / 4:.2e} (2.epoch+00)\n" for n in range(6)))
    assert thalweg.diagnose(log).results[0].learning_rate.verdict


def test_minutes_of_hundreds_of_digits_are_an_infinite_time(tmp_path):
    log = tmp_path / "history.csv"
    rows = "".join(f"{n},{2.3 - n / 4},0:0{n}:{n}0\n" for n in range(1, 6))
    log.write_text(f"epoch,loss,elapsed\n{rows}6,0.7,0:{'9' * 400}:10\n")
    assert thalweg.diagnose(log).results[0].learning_rate.verdict


def test_numbers_of_thousands_of_digits_are_a_sentence(tmp_path):
    digits = "9" * 6000
    with pytest.raises(RunError, match="a whole number has thousands of digits"):
        TrainingPlan.from_toml(f"schema = 1\nepochs = {digits}")
    (tmp_path / "answer.txt").write_text(f"[[c*{digits}]]", encoding="utf-8")
    with pytest.raises(SpecError, match="a number has thousands of digits"):
        thalweg.derive("conv2d", x="3x3", f="2x2", head="c*sum", check=str(tmp_path / "answer.txt"))


def test_lists_within_lists_end_in_a_sentence(tmp_path):
    deep = "[" * 20_000
    with pytest.raises(RunError, match="lists within lists go too deep"):
        TrainingPlan.from_toml(f"schema = 1\nstages = {deep}")
    (tmp_path / "answer.txt").write_text('{"dx": ' + deep, encoding="utf-8")
    with pytest.raises(SpecError, match="begins like JSON but is none"):
        thalweg.derive("conv2d", x="3x3", f="2x2", head="c*sum", check=str(tmp_path / "answer.txt"))
    (tmp_path / "plan.toml").write_text(TrainingPlan(source="x").to_toml(), encoding="utf-8")
    (tmp_path / "data.json").write_text(deep, encoding="utf-8")
    with pytest.raises(RunError, match=r"data\.json is damaged"):
        RunFolder(tmp_path).read_json("data.json")


@pytest.mark.parametrize(("setting", "value"), [("kernel_size", 10**20), ("padding", 10**7), ("out_channels", 10**20)])
def test_a_layer_with_a_number_beyond_all_others_is_a_sentence(tmp_path, setting, value):
    spec = json.loads(str(thalweg.draw("lenet", format="json").drawing))
    conv1 = next(layer for layer in spec["layers"] if layer["name"] == "conv1")
    conv1["settings"] |= {"padding": "same", setting: value}
    path = tmp_path / "net.json"
    path.write_text(json.dumps(spec))
    with pytest.raises(SpecError, match=rf"{setting} is beyond [\d,]+, the most that it may be"):
        thalweg.count(path)


def test_an_epoch_that_is_infinite_is_no_fault(tmp_path):
    rows = [f"{'inf' if not step else 0},{step},{1 / (step + 1)}," for step in range(9)] + ["0,9,,0.5"]
    (tmp_path / "metrics.csv").write_text("\n".join(("epoch,step,train_loss_step,train_loss_epoch", *rows)) + "\n")
    (diagnosed,) = thalweg.diagnose(tmp_path / "metrics.csv").results
    assert diagnosed.error is None or "\n" not in diagnosed.error
