"""`count` and `draw` from outside: published numbers, one JSON object, one line for a mistake, and no torch."""

import csv
import functools
import io
import json
import pathlib
import subprocess
import sys

import jsonschema
import pytest

from thalweg.core.codec import dumps
from thalweg.core.network_plain import spec_to_plain
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import NAMES, network
from thalweg.networks.inline import inline_network
from thalweg.rendering.pages.drawings import check_drawing

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"

SIGNAL = (
    "conv1d(16,7{0}) maxpool1d(2) conv1d(32,5{0}) maxpool1d(2) conv1d(64,5{0}) maxpool1d(2) flatten dense(128) dense(5)"
)


@pytest.fixture
def counted(answered):
    return functools.partial(answered, "count")


@pytest.mark.parametrize(
    ("padding", "extent", "sizes"), [("", 505, [502, 509]), (",padding=same", 475, [472, 479])], ids=["valid", "same"]
)
def test_a_signal_network_counts_as_by_hand_and_says_which_lengths_fit(counted, padding, extent, sizes):
    data = counted(SIGNAL.format(padding), "--input", f"3,{extent}", "--solve", "flatten=59*64")
    rows = [row for row in data["layers"] if row["parameters"]]
    assert [row["parameters"] for row in rows] == [352, 2592, 10304, 483456, 645]
    assert rows[0]["formula"] == "(3*7 + 1)*16 = 352"
    assert [row["output_shape"] for row in data["layers"] if row["kind"] == "flatten"] == [[59 * 64]]
    assert data["total"]["parameters"] == data["total"]["trainable_parameters"] == 497_349
    assert data["input"] == [3, extent]
    assert data["solved"]["ranges"] == [sizes]


def test_one_convolution(counted):
    data = counted("conv2d(3,1)", "--input", "3x4x4")
    (row,) = data["layers"]
    assert (row["parameters"], row["output_shape"], row["macs"]) == (12, [3, 4, 4], 144)
    assert data["solved"] is None


@pytest.mark.parametrize(
    ("name", "extent", "parameters", "buffers", "macs"),
    [
        ("plain", 256, 16_871_169, 448, 677_380_224),
        ("vgg16", 224, 138_357_544, 0, 15_470_264_320),
        ("resnet50", 224, 25_557_032, 53_120, 4_089_184_256),
        ("inception-v3", 299, 23_834_568, None, 5_713_216_096),
    ],
)
def test_known_networks_at_their_usual_size(counted, name, extent, parameters, buffers, macs):
    data = counted(name)
    total = data["total"]
    assert data["input"] == [3, extent, extent]
    assert (total["parameters"], total["macs"]) == (parameters, macs)
    assert buffers is None or total["buffers"] == buffers
    assert sum(row["parameters"] for row in data["layers"]) == parameters
    assert "multiplications" in data["convention"]


def test_the_table_says_what_was_assumed_and_stays_within_80_columns(thalweg):
    out, err = thalweg("count", "resnet50")
    assert max(map(len, out.splitlines())) <= 80
    assert err == ""
    assert out.startswith("Usual for resnet50: input 3x224x224, 1,000 classes (--input, --classes).\n")
    assert "4,089,184,256" in out
    assert "Convention: parameters are weights and biases" in out
    said, _ = thalweg("count", "resnet50", "--input", "3,64,64", "--classes", "7")
    assert said.startswith("resnet50, input 3x64x64\n")


def test_csv_is_rows_alone_and_the_rest_goes_to_standard_error(thalweg):
    out, err = thalweg("count", "lenet", "--format", "csv", "--solve", "flatten=16*5*5")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert sum(int(row["parameters"]) for row in rows) == 61_706
    assert "Usual for lenet: input 1x28x28, 10 classes (--input, --classes)." in err
    assert "flatten1 gives 400 values at input sizes 28 to 31 (each of the 2 axes)." in err
    assert thalweg("count", "lenet", "--format", "csv", "--quiet") == (out, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("count", "resnet5"), "did you mean resnet50"),
        (("count", "convv2d(3,1) relu", "--input", "3,4,4"), "layer 1: 'convv2d' is no layer; did you mean conv2d"),
        (("count", "conv2d(3,1)"), "add --input 3,224,224"),
        (("count", "conv2d(-3,1)", "--input", "3,4,4"), "layer 'conv1' (conv2d): out_channels is -3"),
        (("count", "conv1d(3,1)", "--input", "3,4,4"), "reads 3x4x4, which has 2 spatial axes; 1 wanted"),
        (("count", "conv2d(3,9)", "--input", "3,4,4"), "layer 'conv1' (conv2d) after 'input' (3x4x4)"),
        (("count", "conv2d(3,9)", "--input", "3,4,4"), "reaches over 9 positions, the padded axis has only 4"),
        (("count", "resnet50", "--input", "3,-5,5"), "--input: shape 3x-5x5 has a size of -5"),
        (("count", "resnet50", "--input", "-3,5,5"), "--input: shape -3x5x5 has a size of -3"),
        (("count", "resnet50", "--input", "wide"), "--input: input shape 'wide' is not of the form 3,224,224"),
        (("count", "plain", "--input", "3,4,4"), "layer 'max_pool3' (max_pool2d)"),
        (("count", "plain", "--classes", "1"), "--classes 1: a whole number from 2"),
        (("count", "relu dense(2)", "--input", "3,4", "--classes", "2"), "the last layer decides"),
        (("count", "plain", "--format", "pdf"), "--format pdf: choose one of text, markdown, csv, html"),
        (("count", "plain", "--batch-size", "0"), "--batch-size 0"),
        (("count", "plain", "--solve", "flat=3"), "has no layer 'flat'"),
        (("count", "no/such/run"), "no/such/run: there is no such run folder or file"),
        (("count", ""), "the network has no name"),
        (("draw", "plain", "--format", "pdf"), "--format pdf: choose one of png, svg, text, mermaid, dot"),
        (("draw", "plain", "--format", "png"), "--format png: name the file with --out"),
        (("draw", "plain", "--out", "a.pdf"), "a.pdf: say what to draw with --format"),
        (("draw", "plain", "--out", "none/a.svg"), "lies in a folder that does not exist"),
    ],
)
def test_a_mistake_gets_one_line_with_place_and_numbers(thalweg, words, told):
    out, err = thalweg(*words, status=2)
    assert out == ""
    (line,) = err.splitlines()
    assert told in line


def test_draw_writes_png_and_answers_with_what_it_was_drawn_from(thalweg, tmp_path):
    pytest.importorskip("resvg_py", reason="the extra plots is not installed")
    out, _ = thalweg("draw", "plain", "--out", tmp_path / "plain.png", "--json")
    answer = json.loads(out)
    jsonschema.validate(answer, json.loads((SCHEMAS / "draw.json").read_text("utf-8")))
    assert answer["format"] == "png"
    assert answer["drawing"].startswith("<svg")
    assert (tmp_path / "plain.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_draw_writes_the_form_that_the_file_asks_for(thalweg, tmp_path):
    out, err = thalweg("draw", "small", "--out", tmp_path / "small.svg")
    assert out == f"Drawing: {tmp_path / 'small.svg'}\n"
    assert "Usual for small: input 3x96x96, 2 classes (--input, --classes)." in err
    assert check_drawing((tmp_path / "small.svg").read_text(encoding="utf-8"))
    thalweg("draw", "small", "--out", tmp_path / "small.gv")
    assert (tmp_path / "small.gv").read_text(encoding="utf-8").startswith('digraph "small"')
    thalweg("draw", "small", "--out", tmp_path / "other.gv", "--format", "mermaid")
    assert (tmp_path / "other.gv").read_text(encoding="utf-8").startswith("flowchart")


def test_draw_answers_on_standard_output(thalweg, answered):
    out, _ = thalweg("draw", "small", "--quiet")
    assert max(map(len, out.splitlines())) <= 80
    assert "global_max_pool" in out
    assert check_drawing(thalweg("draw", "small", "--format", "svg", "--quiet")[0])
    data = answered("draw", "lenet", "--input", "1,32,32", "--format", "dot")
    assert data["input"] == [1, 32, 32]


@pytest.mark.parametrize("name", NAMES)
def test_every_named_network_counts_and_draws_at_its_usual_size(thalweg, name):
    assert max(map(len, thalweg("count", name)[0].splitlines())) <= 80
    assert max(map(len, thalweg("draw", name, "--quiet")[0].splitlines())) <= 80


def test_nothing_loads_torch_where_the_description_is_known(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plan.toml").write_text("")
    document = dumps(spec_to_plain(network("small", Shape(3, (32, 32)), 2)))
    (tmp_path / "run" / "network.json").write_text(document)
    (tmp_path / "net.yaml").write_text(document)  # JSON is YAML, too
    (tmp_path / "own.py").write_text("from thalweg.networks.lenet import lenet\nfrom thalweg.core.shape import Shape\n"
                                     "def make():\n    return lenet(Shape(1, (28, 28)), 10)\n")  # fmt: skip
    named = ["resnet18", "run", str(pathlib.Path("run", "network.json")), "own:make"]
    if _has_yaml():
        named.append("net.yaml")
    code = f"""
import sys, thalweg
from thalweg.cli.main import main
for name in {named!r}:
    for verb in ("count", "draw"):
        try:
            main([verb, name, "--quiet"])
        except SystemExit as stop:
            assert not stop.code, name
thalweg.count("conv2d(3,1) relu", input="3,4,4", solve="conv2d=48")
thalweg.draw("conv2d(3,1) relu", input=(3, 4, 4), format="svg")
sys.stderr.write(str(sorted({{"torch", "rich", "sympy", "matplotlib", "PIL"}} & set(sys.modules))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]")


def _has_yaml():
    try:
        import yaml  # noqa: F401
    except ImportError:
        return False
    return True


def test_the_line_the_file_and_the_function_give_one_answer(counted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = "conv2d(8,3) batchnorm relu flatten dense(2)"
    document = dumps(spec_to_plain(inline_network(line, Shape(3, (8, 8)))))
    (tmp_path / "net.json").write_text(document)
    first = counted(line, "--input", "3,8,8")
    assert counted("net.json") == first
    assert counted("net.json", "--input", "3,16,16") == counted(line, "--input", "3,16,16") != first


@pytest.mark.parametrize(("columns", "widest"), [("40", 40), ("30", 40), ("60", 60), ("200", 80)])
def test_a_drawing_is_as_wide_as_the_terminal(capsys, monkeypatch, columns, widest):
    from thalweg.cli.main import main

    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit) as done:
        main(["draw", "lenet", "--quiet"])
    assert done.value.code == 0
    assert widest - 40 < max(map(len, capsys.readouterr().out.splitlines())) <= widest
