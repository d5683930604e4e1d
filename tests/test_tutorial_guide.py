"""docs/tutorial.md is executed: its commands in their order on a small folder, its Python, and what it shows."""

import importlib.util
import pathlib
import re
import shlex
import shutil

import pytest

from thalweg.cli.main import main

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
GUIDE = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.splitlines() if line.startswith("thalweg ")]
SHOWN = [text for kind, text in BLOCKS if kind == "text"]
WATCHED, VERBS = (text for kind, text in BLOCKS if kind == "python")


def answer(line, capsys):
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(line)[1:])
    told = capsys.readouterr()
    return stop.value.code or 0, told.out, told.err


def test_what_checking_shows_is_what_it_says(capsys):
    if importlib.util.find_spec("elpv_dataset") is None:
        pytest.skip("the photos come with elpv-dataset: pip install 'thalweg[demo]'")
    status, out, _ = answer(COMMANDS[0], capsys)
    assert status == 0
    assert SHOWN[0].strip() in out


def test_what_diagnosing_shows_is_what_it_says(capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    (line,) = [line for line in COMMANDS if "docs/examples" in line]
    status, out, _ = answer(line, capsys)
    assert status == 1
    (shown,) = [text for text in SHOWN if text.startswith("learning rate")]
    assert shown.strip() in out
    rule = next(line for line in COMMANDS if line.startswith("thalweg rule"))
    assert rule.split()[2] in out


def test_the_way_from_photos_to_an_exported_network_can_be_gone(photo_folder, tmp_path, monkeypatch, capsys):
    """Every command in its order, shortened: one epoch, tiny pictures, LeNet in place of larger networks."""
    monkeypatch.chdir(tmp_path)
    for name in ("elpv", "cells-of-another-plant"):
        (tmp_path / name).symlink_to(photo_folder)
    shutil.copytree(photo_folder / "red", tmp_path / "new-cells")
    gone = []
    for line in COMMANDS:
        if "docs/examples" in line or line.startswith(("thalweg check", "thalweg rule", "thalweg landscape")):
            continue  # seen above, or a minute's work that its own guide's test does
        short = re.sub(r" --(backbone|image-size|minutes|epochs) \S+| --head-only", "", line).partition(" > ")[0]
        short = short.replace("train elpv", "train ./elpv --epochs 1 --image-size 32 --network lenet")
        short = short.replace("new-cells/*.png", "new-cells/red-00.png").replace(
            "explain", "explain --samples 1 --search 8"
        )
        if short.startswith("thalweg resume"):  # a run that has ended says so
            assert answer(short, capsys)[0] in {0, 2}
            continue
        status, out, err = answer(short, capsys)
        assert status in {0, 1}, (short, err)
        assert out, short
        gone.append(line.split()[1])
    assert gone == [
        "train",
        "train",
        "train",
        "compare",
        "train",
        "train",
        "diagnose",
        "explain",
        "predict",
        "evaluate",
        "export",
    ]
    assert (tmp_path / "runs" / "fine" / "MODEL_CARD.md").is_file()


def test_the_loop_is_repaired_as_it_says(capsys):
    names = {}
    exec(compile(WATCHED, "docs/tutorial.md", "exec"), names)  # noqa: S102 - our own text
    assert names["watching"].interventions
    assert names["loss"].item() < 0.4
    assert "learning rate" in capsys.readouterr().out


def test_the_verbs_of_the_tutorial_answer(photo_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").symlink_to(photo_folder)
    names = {}
    text = VERBS.replace("epochs=20", 'epochs=1, image_size=32, network="lenet"')
    exec(compile(text, "docs/tutorial.md", "exec"), names)  # noqa: S102 - our own text
    assert names["health"].files == 48
    assert (tmp_path / "runs" / "mine").is_dir()
    assert 0 <= names["result"].accuracy <= 1
    assert capsys.readouterr().out
