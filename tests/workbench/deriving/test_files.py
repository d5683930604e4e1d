import os

import pytest

from thalweg.core.errors import SpecError
from thalweg.workbench.deriving.files import CASE_KEYS, read_answer, read_case


def test_a_case_is_read_with_its_decimals_as_they_were_written(tmp_path):
    path = tmp_path / "مثال.yaml"
    path.write_text("x: 3x3\nf: [[1, 0.1], [1/3, -1]]\nhead: [relu, mean]\nprove: true\n", encoding="utf-8")
    assert read_case(path) == {"x": "3x3", "f": [[1, "0.1"], ["1/3", -1]], "head": ["relu", "mean"], "prove": True}


def test_a_description_of_a_network_is_no_case(tmp_path):
    path = tmp_path / "network.json"
    path.write_text('{"layers": []}')
    assert read_case(path) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x: 3x3\nstrides: 2\n", "'strides' is no option of a case; known are kind, x, f"),
        ("- 1\n", "this is a list"),
        ("just words\n", "this is text"),
        ("", "is empty"),
        ("x: [1, 2\n", "no YAML"),
        ("a: &a [1]\nb: *a\n", "aliases"),
        ("x: !!python/object/apply:os.system ['touch hacked']\n", "no YAML"),
        ("x: " + "[" * 5000 + "\n", "go too deep"),
        ("x: " + "- " * 5000 + "\n", "go too deep"),
    ],
)
def test_a_file_that_is_no_case_gets_one_line(tmp_path, monkeypatch, text, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.yaml").write_text(text)
    with pytest.raises(SpecError) as stop:
        read_case(tmp_path / "case.yaml")
    assert told in str(stop.value)
    assert os.listdir(tmp_path) == ["case.yaml"]  # noqa: PTH208 - nothing was run


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "big.yaml").write_bytes(b"#" * (2 << 20))
    (tmp_path / "odd.yaml").write_bytes(b"x: \xff")
    for name, told in (("big.yaml", "more than 1 MB"), ("odd.yaml", "is not UTF-8"), ("none.yaml", "No such file")):
        with pytest.raises(SpecError, match=told):
            read_case(tmp_path / name)
    with pytest.raises(SpecError):
        read_case(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("a.json", "[[1, 0.5]]", [[1, "0.5"]]),
        ("a.yaml", "dO_dx: [[c*f1, 2]]", {"dO_dx": [["c*f1", 2]]}),
        ("a.txt", "[[c*f1, 2]]\n", "[[c*f1, 2]]"),
    ],
)
def test_an_answer_may_be_written_in_many_ways(tmp_path, name, text, answer):
    (tmp_path / name).write_text(text)
    assert read_answer(str(tmp_path / name)) == answer


def test_a_literal_is_left_to_the_engine_and_a_missing_file_is_said():
    assert read_answer("[[1, 2]]") == "[[1, 2]]"
    assert read_answer([["1"]]) == [["1"]]
    assert read_answer('[["c*f1", 0.5]]') == read_answer("[['c*f1', 0.5]]") == [["c*f1", "0.5"]]
    assert read_answer("[" + "1," * 5000 + "1]").startswith("[1,")
    for missing in ("answer.json", "no/such/answer.txt", ""):
        with pytest.raises(SpecError, match="no such file"):
            read_answer(missing)


def test_every_option_of_the_command_may_stand_in_a_case():
    import inspect

    from thalweg.cli.derivation import derive

    options = {name.rstrip("_") for name in inspect.signature(derive).parameters} - {"context", "what", "form", "out"}
    assert set(CASE_KEYS) - {"kind", "network"} == options
