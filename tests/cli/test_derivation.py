"""`derive` from outside: the textbook literally, one JSON object, every form, one line for a mistake, and no torch."""

import json
import os
import subprocess
import sys

import pytest

TEXTBOOK = ("derive", "conv2d", "--x", "3x3", "--f", "2x2", "--head", "c*sum")
DO_DX = [
    ["c*f1", "c*(f1 + f2)", "c*f2"],
    ["c*(f1 + f3)", "c*(f1 + f2 + f3 + f4)", "c*(f2 + f4)"],
    ["c*f3", "c*(f3 + f4)", "c*f4"],
]


def test_the_textbook_case_comes_out_literally(answered):
    data = answered(*TEXTBOOK)
    assert data["dO_dx"] == DO_DX
    assert data["dO_df"][0][0] == "c*(x1 + x2 + x4 + x5)"
    assert data["forward"][0] == "y1 = x1*f1 + x2*f2 + x4*f3 + x5*f4"
    assert data["self_check"]["passed"] is True
    assert (data["proved"], data["max_difference"], data["check"]) == (None, None, None)


@pytest.mark.parametrize(
    "words",
    [
        ("conv1d", "--x", "[1,2,3,4]", "--f", "[1,1/2]", "--head", "mean", "--stride", "2"),
        ("conv2d", "--x", "3x3", "--f", "[[1,0],[0,-1]]", "--head", "relu mean", "--padding", "same"),
        ("conv2d", "--x", "2x4x4", "--f", "2x1x2x2", "--groups", "2", "--bias", "b", "--dilation", "2"),
        ("conv3d", "--x", "2x2x2", "--f", "1x2x2", "--head", "sum"),
        ("conv2d", "--x", "3x3", "--f", "2x2", "--head", "sigmoid", "--head", "mean", "--prove"),
    ],
    ids=lambda words: words[0],
)
def test_every_case_keeps_to_the_schema_and_the_width(answered, thalweg, words):
    data = answered("derive", *words)
    assert data["self_check"]["passed"] is True
    assert data["proved"] is (True if "--prove" in words else None)
    out, _ = thalweg("derive", *words)
    assert max(map(len, out.splitlines())) <= 80


def test_a_right_answer_is_right_however_it_is_written(thalweg, tmp_path):
    (tmp_path / "answer.json").write_text(json.dumps(DO_DX))
    (tmp_path / "answer.txt").write_text("\n".join(", ".join(row) for row in DO_DX))
    (tmp_path / "answer.yaml").write_text(f"dO_dx: {json.dumps(DO_DX)}")
    literal = "[[c*f1, c*f1 + c*f2, f2*c], [c*f1+c*f3, c*(f1+f2+f3+f4), c*(f4+f2)], [c*f3, (f3+f4)*c, c*f4]]"
    for answer in ("answer.json", "answer.txt", "answer.yaml"):
        assert "The answer is right: 9 entries compared." in thalweg(*TEXTBOOK, "--check", tmp_path / answer)[0]
    assert "The answer is right" in thalweg(*TEXTBOOK, "--check", literal)[0]


def test_a_wrong_answer_ends_with_1_and_names_the_mistake(answered, thalweg, tmp_path):
    flipped = json.dumps([row[::-1] for row in DO_DX[::-1]])
    data = answered(*TEXTBOOK, "--check", flipped, status=1)
    assert data["check"]["right"] is False
    assert "flip" in data["check"]["likely_mistake"]
    assert data["check"]["first_wrong"] in " ".join(thalweg(*TEXTBOOK, "--check", flipped, status=1)[0].split())
    out, _ = thalweg(*TEXTBOOK, "--check", flipped, "--out", tmp_path / "a.html", status=1)
    assert "The answer is wrong." in out


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.html", "<!doctype html>"), ("a.tex", r"\documentclass"), ("گربه.md", "# "), ("a.txt", "Gradients")],
)
def test_the_file_s_ending_decides_the_form(thalweg, tmp_path, name, begins):
    out, err = thalweg(*TEXTBOOK, "--out", tmp_path / name)
    assert out == f"Derivation: {tmp_path / name}\n"
    assert err == ""
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


@pytest.mark.parametrize(("form", "begins"), [("html", "<!doctype"), ("latex", "\\doc"), ("markdown", "# ")])
def test_a_form_can_be_asked_for(thalweg, form, begins):
    assert thalweg(*TEXTBOOK, "--format", form)[0].startswith(begins)


def test_json_and_a_file_go_together(answered, tmp_path):
    assert answered(*TEXTBOOK, "--out", tmp_path / "a.html", "--quiet")["dO_dx"] == DO_DX
    assert (tmp_path / "a.html").is_file()


def test_a_case_in_a_file_says_the_same_and_the_command_line_goes_first(answered, tmp_path):
    path = tmp_path / "مثال.yaml"
    path.write_text("kind: conv2d\nx: 3x3\nf: 2x2\nhead: c*sum\n", encoding="utf-8")
    assert answered("derive", path)["dO_dx"] == DO_DX
    assert answered("derive", path, "--head", "sum")["dO_dy"] == [["1", "1"], ["1", "1"]]
    path.write_text("network: lenet\nlayer: conv1\nat: 0,3,5\n", encoding="utf-8")
    assert answered("derive", path, schema="derive_layer")["products"] == 25


def test_a_layer_of_a_network(answered, thalweg, tmp_path):
    data = answered("derive", "resnet18", "--layer", "conv1", "--at", "0,0,0", schema="derive_layer")
    assert (data["products"], data["padding"]) == (48, 99)
    assert data["seen"] == {"ranges": [[0, 3], [0, 3]], "extents": [224, 224]}
    out, err = thalweg("derive", "conv2d(4,3) relu", "--input", "3,8,8", "--layer", "conv1")
    assert "y[0,2,2] = w[0,0,0,0]·x[0,2,2]" in out
    assert err == "Taken: --at 0,2,2.\n"
    assert max(map(len, out.splitlines())) <= 80
    for name in ("a.html", "a.tex", "a.md"):
        thalweg("derive", "lenet", "--layer", "dense1", "--out", tmp_path / name)
        assert "dense1" in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--x is missing"),
        (("conv2d", "--x", "3x3"), "--f is missing"),
        (("conv9d", "--x", "3x3", "--f", "2x2"), "conv1d, conv2d or conv3d"),
        (("cnov2d", "--x", "3x3", "--f", "2x2"), "conv1d, conv2d or conv3d"),
        (("conv2d", "--x", "[[1,2],[3]]", "--f", "2x2"), "x"),
        (("conv2d", "--x", "2x2", "--f", "3x3"), "larger than the input"),
        (("conv2d", "--x", "1000x1000", "--f", "2x2"), "1,000,000"),
        (("conv2d", "--x", "[[__import__('os')]]", "--f", "1x1"), "x"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--head", "maen"), "maen"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--stride", "0"), "stride"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--padding", "some"), "some"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--check", "nowhere.json"), "there is no such file"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--check", "[[1]"), "["),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--at", "0,0,0"), "--at goes with --layer"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--format", "pdf"), "--format pdf: choose one of text, latex"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--out", "a.pdf"), "a.pdf: say what to write with --format"),
        (("conv2d", "--x", "3x3", "--f", "2x2", "--out", "no/a.html"), "lies in a folder that does not exist"),
        (("nowhere.yaml",), "nowhere.yaml: No such file"),
        (("lenet", "--layer", "conv9"), "no such layer; near are conv2, conv1"),
        (("lenet", "--layer", "conv1", "--x", "3x3"), "--x goes with a convolution on paper"),
        (("--layer", "conv1"), "--layer needs its network"),
        (("resnet5", "--layer", "conv1"), "did you mean"),
    ],
)
def test_a_mistake_gets_one_line(thalweg, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    out, err = thalweg("derive", *words, status=2)
    assert out == ""
    (line,) = err.splitlines()
    assert told in line
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing was written


def _run(*words, **settings):
    environment = {**os.environ, **settings.pop("environment", {})}
    return subprocess.run(
        [sys.executable, "-m", "thalweg", *words], capture_output=True, env=environment, check=False, **settings
    )


def test_torch_is_loaded_to_prove_and_for_nothing_else():
    code = f"""
import sys
from thalweg.cli.main import main
for words in ({list(TEXTBOOK)!r}, ["derive", "lenet", "--layer", "conv1", "--at", "0,0,0"]):
    try:
        main(words)
    except SystemExit as stop:
        assert not stop.code
print("LOADED", "torch" in sys.modules, "sympy" in sys.modules, "thalweg.derivation" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.stdout.splitlines()[-1] == "LOADED False False True", done.stderr


def test_a_terminal_without_letters_gets_ascii_and_a_narrow_one_narrow_lines():
    plain = _run(*TEXTBOOK, environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert plain.returncode == 0
    assert b"c*(f1 + f2)" in plain.stdout or b"f1 + f2" in plain.stdout
    assert b"\\u" not in plain.stdout
    narrow = _run(*TEXTBOOK, environment={"COLUMNS": "44", "PYTHONUTF8": "1"})
    assert max(map(len, narrow.stdout.decode().splitlines())) <= 44
    assert b"\x1b" not in narrow.stdout


def test_the_reader_of_a_pipe_may_go_away():
    script = f"{sys.executable} -m thalweg derive conv2d --x 4x4 --f 2x2 --head sum --format html | head -c 10"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert done.stdout == b"<!doctype "
    assert done.stderr == b""
