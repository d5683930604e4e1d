import sys

import pytest

from thalweg.core.codec import dumps
from thalweg.core.errors import SpecError
from thalweg.core.network_plain import spec_to_plain
from thalweg.core.shape import Shape
from thalweg.networks.catalogue import network
from thalweg.workbench.describing.spec_files import read_spec_file

YAML = """\
schema: 1
name: tiny
form: sequential
inputs: {signal: [3, 505]}
layers:
  - {name: conv1, kind: conv1d, settings: {out_channels: 16, kernel_size: 7}, inputs: [signal]}
  - {name: relu1, kind: relu, inputs: [conv1]}  # a comment
outputs: [relu1]
"""


def test_json_gives_the_network_back(tmp_path):
    spec = network("small", Shape(3, (32, 32)), 2)
    (tmp_path / "net.json").write_text(dumps(spec_to_plain(spec)), encoding="utf-8-sig")  # a byte order mark is common
    assert read_spec_file(tmp_path / "net.json") == spec


@pytest.mark.parametrize("ending", ["yaml", "YML"])
def test_yaml_is_read_as_the_same_document(tmp_path, ending):
    pytest.importorskip("yaml")
    path = tmp_path / f"net.{ending}"
    path.write_text(YAML)
    spec = read_spec_file(path)
    assert (spec.name, [layer.kind for layer in spec]) == ("tiny", ["conv1d", "relu"])


def test_yaml_without_pyyaml_says_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "net.yaml").write_text(YAML)
    with pytest.raises(SpecError, match=r"net.yaml: YAML needs PyYAML: pip install pyyaml, or write .* as JSON"):
        read_spec_file(tmp_path / "net.yaml")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", b"{", "a.json: no JSON: Expecting property name"),
        ("a.json", b"[" * 200_000, "a.json: "),
        ("a.json", b"\xff\xfe", "a.json: byte 0 is not UTF-8"),
        ("a.json", b"[]", "a.json: network: an object is wanted, not list"),
        ("a.json", b'{"schema": 1, "name": "n"}', "a.json: network: field 'inputs' is missing"),
        ("a.json", b"9" * 5000, "a.json: no JSON: "),
        ("a.txt", b"", "a.txt: a network is read from .json, .yaml, .yml"),
        ("a.yaml", b"a: [1,\nb: }", "a.yaml: line 2: no YAML: "),
        ("a.yaml", b"a: &x [1]\nb: [*x, *x]", "aliases"),
        ("a.yaml", b"!!python/object/apply:os.system [echo]", "a.yaml: line 1: no YAML: could not determine"),
        ("a.yaml", b"{a: " * 5000, "a.yaml"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, name, content, told):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecError) as raised:
        read_spec_file(tmp_path / name)
    assert told in str(raised.value)


def test_a_file_that_is_far_too_long_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(40 << 20)
    with pytest.raises(SpecError, match="more than 32 MB"):
        read_spec_file(tmp_path / "a.json")


def test_a_network_of_keras_is_told_apart(tmp_path):
    (tmp_path / "model.json").write_text('{"class_name": "Sequential", "config": {"layers": []}}')
    with pytest.raises(SpecError, match="describes a network of Keras"):
        read_spec_file(tmp_path / "model.json")
