"""The README is executed: its Python runs, its files are there; and every command of every page exists as it stands."""

import pathlib
import re
import shlex

import pytest
import typer.main

from thalweg.cli.main import app

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
EVERYWHERE = {"--json", "--quiet", "--lang", "--traceback"}


def commands_of(page):
    """The commands in a page's blocks of shell, without comments, pipes and what goes before `&&`."""
    found, page_text = [], page.read_text(encoding="utf-8")
    for language, text in re.findall(r"^ *```(\w*)[^\n]*\n(.*?)```", page_text, re.DOTALL | re.MULTILINE):
        if language in {"", "bash", "console", "sh"}:
            lines = re.sub(r"\\\n\s*", " ", text).splitlines()
            words = [part.split(" #")[0].split(" | ")[0].strip() for line in lines for part in line.split(" && ")]
            found += [line for line in words if line.startswith("thalweg ")]
    return found


COMMANDS = sorted({(page.relative_to(REPOSITORY).as_posix(), line) for page in PAGES for line in commands_of(page)})


def test_the_readme_holds_both_setup_commands():
    assert "pip install '.[demo]' && thalweg demo" in README
    assert "pip install -e '.[dev]' && pytest" in README
    assert len(commands_of(REPOSITORY / "README.md")) > 10
    assert len(PYTHON) > 1


@pytest.mark.parametrize("text", PYTHON)
def test_python_of_the_readme_runs(text, photo_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").symlink_to(photo_folder)
    names: dict[str, object] = {}
    exec(compile(text.replace("epochs=20", "epochs=1"), "README.md", "exec"), names)  # noqa: S102 - our own text
    assert names.keys() - {"__builtins__"}, "an example that makes nothing shows nothing"


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_commands_exist_with_their_options(page, line):
    _, verb, *words = shlex.split(line)
    commands = typer.main.get_command(app).commands
    assert verb in commands, page
    known = {option for each in commands[verb].params for option in (*each.opts, *each.secondary_opts)} | EVERYWHERE
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, page


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_of_the_readme_lead_somewhere(target):
    assert target.startswith("https://") or (REPOSITORY / target).exists(), target
