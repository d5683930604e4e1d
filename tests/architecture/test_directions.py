"""Imports point one way: the contracts of pyproject.toml hold, and they speak of every room there is."""

import pathlib
import subprocess
import sys
import tomllib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src"
HOUSES = ["thalweg", "thalweg.data", "thalweg.rendering", "thalweg.workbench"]
"""What has rooms whose imports point one way."""


def rooms_of(house):
    return {path.parent.name for path in SOURCE.joinpath(*house.split(".")).glob("*/__init__.py")}


ROOMS = rooms_of("thalweg")


@pytest.fixture(scope="module")
def contracts():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["importlinter"]["contracts"]


def test_contracts_hold():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("house", HOUSES)
def test_every_room_has_its_place_in_the_layers(contracts, house):
    (layers,) = [each for each in contracts if each.get("containers") == [house]]
    placed = {name.strip(" ()") for line in layers["layers"] for name in line.split("|")}
    assert placed >= rooms_of(house)


def test_torch_is_kept_out_of_the_middle(contracts):
    (forbidden,) = [each for each in contracts if each["type"] == "forbidden"]
    guarded = {name.removeprefix("thalweg.") for name in forbidden["source_modules"]}
    assert (
        guarded
        >= {"core", "networks", "accounting", "derivation", "diagnosis", "evaluation", "histories", "rendering"} & ROOMS
    )
    assert "torch" in forbidden["forbidden_modules"]


def test_the_map_in_the_documentation_shows_every_room():
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    missing = [room for room in sorted(ROOMS) if f"`{room}/`" not in text]
    within = {room for house in HOUSES[1:] for room in rooms_of(house)}
    assert missing + sorted(within - drawn_in(text)) == []


def drawn_in(text):
    """Rooms that begin a line of a drawing, alone or beside others."""
    lines = [line.split("  ")[0] for block in text.split("```")[1::2] for line in block.splitlines()]
    return {name.strip() for line in lines for name in line.split("|")}
