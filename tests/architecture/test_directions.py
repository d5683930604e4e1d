"""Imports point one way: the contracts of pyproject.toml hold, and they speak of every room there is."""

import pathlib
import subprocess
import sys
import tomllib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ROOMS = {path.parent.name for path in (REPOSITORY / "src" / "thalweg").glob("*/__init__.py")}


@pytest.fixture(scope="module")
def contracts():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["type"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_contracts_hold():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_its_place_in_the_layers(contracts):
    layers = contracts["layers"]
    assert layers["exhaustive"]
    placed = {name.strip(" ()") for line in layers["layers"] for name in line.split("|")}
    assert placed >= ROOMS


def test_torch_is_kept_out_of_the_middle(contracts):
    guarded = {name.removeprefix("thalweg.") for name in contracts["forbidden"]["source_modules"]}
    assert (
        guarded
        >= {"core", "networks", "accounting", "derivation", "diagnosis", "evaluation", "histories", "rendering"} & ROOMS
    )
    assert "torch" in contracts["forbidden"]["forbidden_modules"]


def test_the_map_in_the_documentation_shows_every_room():
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    missing = [room for room in sorted(ROOMS) if f"`{room}/`" not in text]
    assert missing == []
