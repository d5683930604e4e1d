"""The command line from outside: one JSON object, one line for an error, and the promised exit statuses."""

import contextlib
import csv
import io
import json
import os
import pathlib
import subprocess
import sys

import jsonschema
import pytest

from thalweg.cli.main import main
from thalweg.training.loop import Trainer

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"
TRAIN = ("--epochs", "2", "--image-size", "32", "--batch-size", "8")


def process(*words):
    command = [sys.executable, "-m", "thalweg", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def thalweg(*words):
    """The same without a process of its own, which would import torch anew."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
        main(list(map(str, words)))
    said, told = (each.buffer.getvalue().decode() for each in (out, err))
    return subprocess.CompletedProcess(words, stop.value.code or 0, said, told)


def main_status(*words):
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as stop:
        main(list(map(str, words)))
    return stop.value.code or 0


def answer(done, schema):
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout + done.stderr
    data = json.loads(lines[0])
    jsonschema.validate(data, json.loads((SCHEMAS / f"{schema}.json").read_text()))
    return data


@pytest.fixture(scope="module")
def trained(photo_folder, tmp_path_factory):
    run = tmp_path_factory.mktemp("cli") / "run"
    done = process("train", photo_folder, *TRAIN, "--lr", "0.01", "--out", run, "--json")
    assert done.returncode == 0, done.stderr
    return run, answer(done, "train"), done.stderr


def test_train_prints_one_object_and_tells_the_rest_on_standard_error(trained):
    _, data, told = trained
    assert "Found 48 files belonging to 2 classes." in told
    assert "Using 38 files for training." in told
    assert "Using 10 files for validation." in told
    assert data["files"] == data["train_files"] + data["test_files"] == 48
    assert data["classes"] == ["blue", "red"]
    assert f"Learning rate {data['learning_rate']:.3g}" in told
    assert pathlib.Path(data["report"]).is_file()


def test_global_options_stand_anywhere(photo_folder):
    before, after = thalweg("--json", "check", photo_folder), thalweg("check", photo_folder, "--json", "--quiet")
    one, two = answer(before, "check"), answer(after, "check")
    one.pop("seconds"), two.pop("seconds")
    assert one == two
    assert after.stderr == ""


def test_predict_gives_csv_and_json_and_names_what_it_cannot_read(trained, photo_folder):
    run, *_ = trained
    good, bad = photo_folder / "red" / "red-00.png", photo_folder / "no-such.png"
    done = thalweg("predict", run, good, bad)
    assert done.returncode == 2
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["file"] for row in rows] == [str(good), str(bad)]
    assert rows[0]["class"] in {"red", "blue"}
    assert rows[1]["class"] == ""
    assert rows[1]["error"]
    assert "no-such.png" in done.stderr
    (prediction,) = answer(thalweg("predict", run, good, "--json"), "predict")["predictions"]
    assert float(rows[0]["p_red"]) == pytest.approx(prediction["probabilities"]["red"], abs=1e-5)
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)


def test_evaluate_export_and_report_answer_in_their_form(trained, photo_folder):
    run, data, _ = trained
    again = answer(thalweg("evaluate", run, "--json"), "train")
    assert again["accuracy"] == data["accuracy"]
    assert again["split"] == "validation"
    whole = answer(thalweg("evaluate", run, photo_folder, "--json"), "train")
    assert whole["test_files"] == 48
    best = ("best_accuracy", "best_epoch")
    assert [again[name] for name in best] == [data[name] for name in best]
    assert [whole[name] for name in best] == [None, 0]  # no epoch was scored there
    pytest.importorskip("onnxruntime")
    exported = answer(thalweg("export", run, "--int8", "--json"), "export")
    assert exported["max_difference"] < 1e-4
    assert exported["quantised"]["files"] == data["test_files"]
    assert exported["quantised"]["bytes"] < exported["bytes"] / 2
    assert answer(thalweg("report", run, "--json"), "report")["report"] == data["report"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "no/such/folder"), "no/such/folder: there is no such folder or file"),
        (("train", "{photos}", "--epochs", "none"), "--epochs none: a whole number such as 10 is wanted"),
        (("train", "{photos}", "--epochs", "7", "--epochs=1.5"), "--epochs 1.5: a whole number such as 2 is wanted"),
        (("train", "{photos}", "--minutes="), "--minutes (nothing): a number such as 0.5 is wanted"),
        (("serve", "--port", "http"), "--port http: a whole number such as 10 is wanted"),
        (("train", "{photos}", "--epochs", "3", "--minutes", "1"), "exclude each other"),
        (("train", "{photos}", "--lr", "-1"), "--lr -1 is out of range"),
        (("train", "{photos}", "--lr", "fast"), "--lr fast: a number such as 0.001, or auto"),
        (("train", "{photos}", "--network", "smal"), "did you mean small?"),
        (("train", "{photos}", "--optimizer", "adamm"), "--optimizer adamm: choose one of adam, adamw, sgd"),
        (("train", "{photos}", "--split", "80/30"), "80/30"),
        (("train", "{photos}", "--task", "dreams"), "--task dreams"),
        (("train", "{photos}", "--out", "{photos}"), "is not empty"),
        (("train", "{photos}", "--augment", "much"), "--augment much: choose one of"),
        (("resume", "{photos}"), "is no run folder"),
        (("predict", "{photos}", "a.png"), "is no run folder"),
        (("fly",), "fly"),
        (("train", "{photos}", "--image-size", "4"), "--image-size 4 is out of range: 8 to 65,536"),
        (("train", "{photos}", "--network", "vgg11", "--image-size", "16"), "--image-size 16 does not suit vgg11"),
        (("train", "{photos}", "--image-size", "5000"), "--image-size 5000 is out of range for pictures: at most 4096"),
        (("train", "{photos}", "--epoch", "3"), "thalweg train --help"),
        (("check", "{photos}", "--lang", "la"), "--lang la: choose one of en, fa"),
    ],
)
def test_bad_input_gets_one_line_and_status_2(photo_folder, capsys, words, told):
    with pytest.raises(SystemExit) as stop:
        main([word.format(photos=photo_folder) for word in words] + ["--json"])
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    (line,) = [line for line in err.splitlines() if line.startswith("thalweg:")]
    assert told in line
    data = json.loads(out)
    jsonschema.validate(data, json.loads((SCHEMAS / "error.json").read_text()))
    assert data["exit_status"] == 2


def test_a_fault_of_ours_is_one_line_too_and_a_traceback_when_asked(monkeypatch, capsys):
    monkeypatch.setattr("thalweg.workbench.check.look", lambda *_, **__: 1 / 0)
    with pytest.raises(SystemExit) as stop:
        main(["check", "photos"])
    assert stop.value.code == 1
    assert "please report it: ZeroDivisionError" in capsys.readouterr().err
    done = thalweg("--traceback", "check", "photos", "--json")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in answer(done, "error")["error"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "memory ran out"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 4096"), "memory ran out"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "memory ran out"),
        (RuntimeError("can't start new thread"), "no more threads can be started"),
    ],
)
def test_what_the_machine_lacks_is_no_fault_of_ours(monkeypatch, capsys, error, told):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("thalweg.workbench.check.look", fail)
    with pytest.raises(SystemExit, match="1"):
        main(["check", "photos", "--quiet"])
    assert capsys.readouterr().err.startswith(f"thalweg: {told}: ")


def test_unusable_input_stays_status_2_and_one_object_with_a_traceback(tmp_path):
    done = thalweg("check", tmp_path / "nowhere", "--traceback", "--json")
    assert done.returncode == 2
    assert "SourceError" in done.stderr
    assert answer(done, "error")["exit_status"] == 2


def test_json_without_a_verb_says_so_instead_of_the_whole_help():
    done = thalweg("--json")
    assert done.returncode == 2
    assert answer(done, "error")["error"].startswith("a verb is missing")


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("count", "--help"), ("train", "-h")])
def test_help_and_version_are_one_object_under_json(words):
    plain, done = thalweg(*words), thalweg(*words, "--json")
    assert done.returncode == plain.returncode == 0
    assert answer(done, "help")["text"] == plain.stdout


@pytest.mark.parametrize(("typed", "meant"), [("--lnag", "--lang"), ("--jsno", "--json"), ("--epoch", "--epochs")])
def test_a_misspelt_option_is_answered_with_the_one_that_was_meant(typed, meant):
    done = thalweg("train", "photos", typed, "fa")
    assert done.returncode == 2
    assert meant in done.stderr.partition("Possible options")[2]


def test_a_source_without_a_name_is_no_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = thalweg("check", "", "--json")
    assert done.returncode == 2
    assert "the source has no name" in answer(done, "error")["error"]


def test_the_home_folder_is_spelled_out_where_shells_do_not(photo_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(photo_folder.parent)
    done = thalweg("draw", "lenet", "--format", "svg", "--out=~/net.svg", "--json")
    assert done.returncode == 0, done.stderr
    assert answer(done, "draw")["path"] == str(tmp_path / "net.svg")
    assert (tmp_path / "net.svg").is_file()
    assert not pathlib.Path("~").exists()


def test_the_list_of_labs_keeps_to_the_schema_of_lab():
    assert "saddle" in answer(thalweg("lab", "--json"), "lab")["labs"]


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="Linux alone has a device that is always full")
def test_a_full_disk_behind_standard_output_is_one_whole_sentence():
    command = [sys.executable, "-m", "thalweg", "rule", "LRN001"]
    with pathlib.Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "thalweg: No space left on device; mend that and try again\n")
    with pathlib.Path("/dev/full").open("w") as full:
        done = subprocess.run([*command, "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "thalweg: No space left on device; mend that and try again\n")


def test_a_failed_run_is_status_1_and_says_what_to_try(photo_folder, tmp_path):
    words = (*TRAIN, "--no-repair", "--lr", "1e6", "--optimizer", "sgd", "--network", "plain", "--json")
    done = thalweg("train", photo_folder, *words, "--out", tmp_path / "run")
    assert done.returncode == 1
    assert "not finite" in answer(done, "error")["error"]


THREE_EPOCHS = ("--epochs", 3, "--image-size", 32, "--batch-size", 8, "--lr", "0.003", "--out")


@pytest.fixture(scope="module")
def straight(photo_folder, tmp_path_factory):
    """A run that nothing disturbed."""
    return answer(
        thalweg("train", photo_folder, *THREE_EPOCHS, tmp_path_factory.mktemp("whole") / "run", "--json"), "train"
    )


@pytest.mark.usefixtures("heard_hang_up")
@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143), (1, 129)])
def test_a_signal_saves_the_run_and_resume_ends_it_as_if_nothing_had_been(
    photo_folder, straight, tmp_path, monkeypatch, number, status
):
    """This process signals itself in its second epoch; tests/browser sends Ctrl-C to another one."""
    step = Trainer._step

    def asked(self, *words):
        step(self, *words)
        if self.state.step == 7:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", asked)
        stopped = thalweg("train", photo_folder, *THREE_EPOCHS, tmp_path / "cut")
    assert stopped.returncode == status
    assert f"thalweg resume {tmp_path / 'cut'}" in stopped.stdout
    finished = answer(thalweg("resume", tmp_path / "cut", "--json"), "train")
    assert finished["epochs"] == straight["epochs"] == 3
    assert finished["accuracy"] == straight["accuracy"]
    one, two = (pathlib.Path(each["run"], "model.safetensors") for each in (finished, straight))
    assert one.read_bytes() == two.read_bytes()


def test_the_version_and_the_help_answer():
    assert thalweg("--version").stdout.startswith("thalweg 0.")
    shown = thalweg("train", "--help").stdout
    for option in ("--network", "--epochs", "--minutes", "--lr", "--split-file", "--group-by", "--seed", "--out"):
        assert option in shown


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="Linux alone has a device that is always full")
def test_a_run_outlives_its_terminal(photo_folder, tmp_path):
    """`2>&1 | head -1` closes standard error in the first epoch, and a log file can fill its disk."""
    line = f"{sys.executable} -m thalweg check {photo_folder} --json"
    full = subprocess.run(["bash", "-c", f"{line} 2>/dev/full"], capture_output=True, text=True, check=False)
    assert (full.returncode, answer(full, "check")["files"]) == (0, 48)
    with pathlib.Path("/dev/full").open("w") as there, contextlib.redirect_stderr(there):
        assert main_status("train", photo_folder, *TRAIN, "--lr", "0.01", "--out", tmp_path / "run") == 0
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.mark.skipif(os.name == "nt", reason="a folder that is worked in cannot be deleted there")
def test_a_working_folder_that_is_gone_is_a_sentence(tmp_path):
    line = f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m thalweg rule LRN001 --json"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the working folder is not there any more" in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr


def test_a_file_that_looks_like_an_option_is_told_how_to_be_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-dash.png").write_bytes(b"")
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "run", "-dash.png"])
    assert "-dash.png is taken for an option: write ./-dash.png for the file" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "run", "-other.png"])
    assert "taken for an option" not in capsys.readouterr().err
