"""The report repeats: its command gives the same weights again, and its page can be written again from its data."""

import json
import pathlib
import shlex

import pytest

import thalweg
from thalweg.cli.main import main


def test_the_command_of_the_report_repeats_the_run_to_the_bit(photo_folder, tmp_path):
    odd = {"test": 0.25, "validation": 0.25, "augment": "none", "class_weights": "balanced", "weight_decay": 0.02}
    result = thalweg.train(photo_folder, out=tmp_path / "one", epochs=1, image_size=32, batch_size=8, lr=0.01, **odd)
    content = json.loads((tmp_path / "one" / "report.json").read_text())
    (command,) = [
        block["text"]
        for section in content["sections"]
        for block in section["blocks"]
        if block.get("style") == "command" and block["text"].startswith("thalweg train ")
    ]
    accuracy = content["numbers"][0]
    assert accuracy["low"] <= accuracy["share"] == result.accuracy <= accuracy["high"]
    assert accuracy["reference"] == 0.5  # two classes of one size
    program, *words = shlex.split(command)
    assert program == "thalweg"
    with pytest.raises(SystemExit) as stop:
        main([*words, "--out", str(tmp_path / "two"), "--quiet"])
    assert stop.value.code == 0
    one, two = (tmp_path / name / "model.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    page = pathlib.Path(result.report)
    written = page.read_text()
    page.unlink()
    thalweg.report(tmp_path / "one")
    assert page.read_text() == written


def test_the_report_names_commands_that_use_the_network(photo_folder, tmp_path, capsys):
    thalweg.train(photo_folder, out=tmp_path / "a run", epochs=1, image_size=32)
    content = json.loads((tmp_path / "a run" / "report.json").read_text())
    commands = [
        block["text"].replace("NEW", shlex.quote(str(photo_folder)))
        for section in content["sections"]
        for block in section["blocks"]
        if section["title"] == "How to use this network" and block.get("style") == "command"
    ]
    assert [shlex.split(each)[1] for each in commands] == ["predict", "export"]
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(commands[0])[1:])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("file,class,")
