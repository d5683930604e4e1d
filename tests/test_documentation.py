"""The README is executed: its Python runs, its files are there, its numbers are those of the page that has them all."""

import pathlib
import re

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]


def test_the_readme_holds_both_setup_commands():
    assert "pip install '.[demo]' && thalweg demo" in README
    assert "pip install -e '.[dev]' && pytest" in README
    assert len(PYTHON) > 1


@pytest.mark.parametrize("text", PYTHON)
def test_python_of_the_readme_runs(text, photo_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").symlink_to(photo_folder)
    names: dict[str, object] = {}
    exec(compile(text.replace("epochs=20", "epochs=1"), "README.md", "exec"), names)  # noqa: S102 - our own text
    assert names.keys() - {"__builtins__"}, "an example that makes nothing shows nothing"


def test_numbers_of_the_readme_are_those_of_the_page_that_has_them_all():
    rows = [line.replace("docs/", "") for line in README.splitlines() if re.match(r"\| (?!what|---)", line)]
    known = (REPOSITORY / "docs" / "measured.md").read_text(encoding="utf-8").replace("docs/", "").splitlines()
    assert len(rows) > 5
    assert [row for row in rows if row not in known] == []


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_of_the_readme_lead_somewhere(target):
    assert target.startswith("https://") or (REPOSITORY / target).exists(), target
