"""`diagnose` and `rule` from outside: verdict first, one JSON object, exit statuses, hostile logs, no torch."""

import json
import pathlib
import subprocess
import sys

import pytest

RISING = "epoch,loss,val_loss\n" + "".join(f"{n},{0.7 * 1.6**n},{0.8 * 1.6**n}\n" for n in range(10))
HEALTHY = "epoch,loss,accuracy,val_loss,val_accuracy\n" + "".join(
    f"{n},{0.2 + 2.1 * 0.8**n:.4f},{0.92 - 0.82 * 0.8**n:.4f},{0.3 + 2.0 * 0.8**n:.4f},{0.9 - 0.8 * 0.8**n:.4f}\n"
    for n in range(30)
)
HOSTILE = {
    "empty.csv": b"",
    "binary.csv": bytes(range(256)) * 4,
    "text.csv": b"this is no log\n",
    "header.csv": b"epoch,loss\n",
    "nul.csv": b"epoch,loss\n0,\x00\n",
    "cut.json": b'{"history": {"loss": [1, 2',
    "deep.json": b"[" * 5000,
    "list.json": b"[1, 2, 3]",
    "names.csv": "epoch,\u202eloss\n0,a\n".encode(),
}
ODD = {
    "one.csv": b"epoch,loss\n0,0.5\n",
    "nan.csv": b"epoch,loss\n0,nan\n1,nan\n2,nan\n",
    "inf.csv": b"epoch,loss\n0,0.5\n1,inf\n2,-inf\n3,1e308\n",
    "zero.csv": b"epoch,loss\n" + b"".join(b"%d,0\n" % n for n in range(9)),
    "negative.csv": b"epoch,loss\n" + b"".join(b"%d,%d\n" % (n, -n) for n in range(9)),
    "accuracy.csv": b"epoch,accuracy\n" + b"".join(b"%d,0.%d\n" % (n, n) for n in range(9)),
    "validation.csv": b"epoch,val_loss\n" + b"".join(b"%d,%d\n" % (n, 9 - n) for n in range(9)),
    "huge.csv": b"epoch,loss\n" + b"".join(b"%d,1e%d\n" % (n, 30 * n) for n in range(9)),
}


@pytest.fixture
def diagnosed(answered):
    return lambda *words, **options: answered("diagnose", *words, **options)["results"]


@pytest.fixture
def logs(tmp_path):
    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


def test_the_verdict_stands_first_and_lines_fit_the_terminal(thalweg, logs, monkeypatch):
    monkeypatch.chdir(logs(log=RISING))
    out, err = thalweg("diagnose", "log.csv", status=1)
    lines = out.splitlines()
    assert lines[0].startswith("log.csv (")
    assert lines[1].startswith("learning rate: ")
    assert "error CUR002 diverging" in out
    assert "seen: train_loss, epochs 1-10: " in out
    assert "do: lower_learning_rate (learning rate x " in out
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in out
    assert err == ""


def test_exit_status_follows_the_findings(diagnosed, logs):
    folder = logs(healthy=HEALTHY, rising=RISING)
    (healthy,) = diagnosed(folder / "healthy.csv")
    assert [finding["name"] for finding in healthy["findings"] if finding["severity"] != "info"] == []
    assert [run["path"].rpartition("/")[2] for run in diagnosed(folder, status=1)] == ["healthy.csv", "rising.csv"]


def test_some_files_fail_and_the_rest_is_judged(diagnosed, thalweg, logs):
    folder = logs(good=HEALTHY, bad="")
    found = diagnosed(folder / "bad.csv", folder / "good.csv", status=0)
    assert [run["error"] is None for run in found] == [False, True]
    out, err = thalweg("diagnose", folder / "bad.csv", folder / "good.csv")
    assert "learning rate: " in out
    assert err.count("\n") == 1
    assert "bad.csv" in err


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_log_gets_one_line_and_status_2(diagnosed, thalweg, tmp_path, name):
    (tmp_path / name).write_bytes(HOSTILE[name])
    (run,) = diagnosed(tmp_path / name, status=2)
    assert run["error"]
    out, err = thalweg("diagnose", tmp_path / name, status=2)
    assert out == ""
    (line,) = err.splitlines()
    assert name in line
    assert line.isprintable()


@pytest.mark.parametrize("name", ODD)
def test_odd_curves_are_judged_without_a_fall(diagnosed, tmp_path, name):
    (tmp_path / name).write_bytes(ODD[name])
    try:
        (run,) = diagnosed(tmp_path / name, status=0)
    except AssertionError:
        (run,) = diagnosed(tmp_path / name, status=1)
    assert run["error"] is None
    assert run["learning_rate"]["verdict"] in {"too_low", "about_right", "too_high", "undetermined"}
    names = [finding["name"] for finding in run["findings"]]
    assert ("non_finite" in names) == (name in {"nan.csv", "inf.csv"})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("diagnose", "none.csv"), "none.csv"),
        (("diagnose", "log.csv", "--columns", "train_loss"), "--columns train_loss: write it as train_loss=NAME"),
        (("diagnose", "log.csv", "--columns", "loss=loss"), "--columns: 'loss' is none of train_loss"),
        (("diagnose", "log.csv", "--html", "none/page.html"), "--html none/page.html: name a file in a folder"),
        (("rule", "overfiting"), "no rule is called 'overfiting'; did you mean overfitting"),
        (("rule", "LRN009"), "did you mean LRN00"),
        (("rule", "\u202e\n"), "thalweg rule lists all"),
    ],
)
def test_a_mistake_gets_one_line(thalweg, logs, monkeypatch, words, told):
    monkeypatch.chdir(logs(log=HEALTHY))
    out, err = thalweg(*words, status=2)
    assert out == ""
    (line,) = err.splitlines()
    assert told in line


def test_rules_are_listed_and_explained(thalweg, answered):
    out, _ = thalweg("rule")
    assert "LRN001 learning_rate_too_high" in out
    assert max(map(len, out.splitlines())) <= 80
    text, _ = thalweg("rule", "lrn001")
    assert "Not to be confused with: " in text
    assert max(map(len, text.splitlines())) <= 80
    assert thalweg("rule", "learning_rate_too_high")[0] == text
    answered("rule")
    assert answered("rule", "overfitting")["code"] == "CUR010"


def test_a_page_is_written_and_its_place_told(thalweg, logs, monkeypatch):
    monkeypatch.chdir(logs(log=RISING))
    _, err = thalweg("diagnose", "log.csv", "--html", "page.html", status=1)
    assert err == "Page: page.html\n"
    assert "CUR002 diverging" in pathlib.Path("page.html").read_text("utf-8")


def test_a_terminal_without_blocks_gets_letters(tmp_path):
    (tmp_path / "log.csv").write_text(RISING)
    code = "from thalweg.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "diagnose", "log.csv"], cwd=tmp_path, capture_output=True, check=False,
        env={"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert b"\\u" not in done.stdout
    assert b"_" in done.stdout


def test_neither_torch_nor_rich_nor_jinja_is_loaded(tmp_path):
    (tmp_path / "log.csv").write_text(RISING)
    code = """
import sys, thalweg
from thalweg.cli.main import main
for words in (["diagnose", "log.csv"], ["diagnose", "log.csv", "--json"], ["rule", "LRN001"]):
    try:
        main(words)
    except SystemExit as stop:
        assert stop.code in (0, 1)
thalweg.diagnose({"loss": [1.0, 0.5]})
slow = {"torch", "rich", "sympy", "matplotlib", "PIL", "jinja2", "scipy", "pandas", "sklearn"}
sys.stderr.write(str(sorted(slow & set(sys.modules))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]")


def test_a_log_that_is_piped_is_read_as_its_file_is(tmp_path, diagnosed):
    (tmp_path / "log.csv").write_text(RISING, encoding="utf-8")
    command = [sys.executable, "-m", "thalweg", "diagnose", "-", "--json"]
    piped = subprocess.run(command, input=RISING, capture_output=True, encoding="utf-8", check=False)
    (run,) = json.loads(piped.stdout)["results"]
    (file,) = diagnosed(str(tmp_path / "log.csv"), status=1)
    assert piped.returncode == 1
    assert run["path"] == "standard input"
    assert {**run, "path": ""} == {**file, "path": ""}


@pytest.mark.parametrize(("given", "told"), [(b"", "standard input is empty"), (None, "which is closed here")])
def test_standard_input_without_a_log_is_one_sentence(given, told):
    shell = f"{sys.executable} -m thalweg diagnose -" + (" <&-" if given is None else "")
    done = subprocess.run(["/bin/sh", "-c", shell], input=given, capture_output=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr.decode()
    assert done.stderr.decode().count("\n") == 1
