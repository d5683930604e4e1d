"""Generations of a store: one at a time, and only the damaged one is left."""

from thalweg.data.storing.store_values import renew


def test_processes_agree_on_one_generation(tmp_path):
    first = renew(tmp_path, None)
    assert renew(tmp_path, None) == first


def test_the_damaged_generation_is_left_once(tmp_path):
    first = renew(tmp_path, None)
    for end in ("grey", "colour", "sqlite"):
        (tmp_path / f"{first}.{end}").touch()
    second = renew(tmp_path, first)
    assert second != first
    assert [path.name for path in tmp_path.iterdir()] == ["current"]
    assert renew(tmp_path, first) == second, "another process was faster"


def test_a_name_that_is_none_is_replaced(tmp_path):
    (tmp_path / "current").touch()
    assert renew(tmp_path, None).isalnum()
    assert (tmp_path / "current").read_text() == renew(tmp_path, None)
