import pytest

from thalweg.core.strange_yaml import read_yaml


def test_plain_data_is_read():
    text = "title: ضرب\nrows:\n- [1, 2/3]\n- {a: null}\n"
    assert read_yaml(text) == {"title": "ضرب", "rows": [[1, "2/3"], {"a": None}]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x [1]\nb: *x", "aliases"),
        ("[" * 5_000, "too deep"),
        ("- " * 500 + "1", "too deep"),
        ("{a: " * 100 + "1" + "}" * 100, "too deep"),
        ("a: [1\nb: 2", "line 2: no YAML"),
        ("!!python/object/apply:os.system ['echo']", "line 1: no YAML"),
        ("\0", "no YAML"),
    ],
)
def test_what_would_harm_or_is_damaged_is_one_line(text, told):
    with pytest.raises(ValueError, match=told) as error:
        read_yaml(text)
    assert len(str(error.value).splitlines()) == 1
