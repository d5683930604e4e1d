"""The public API, pinned: a name appears or disappears here on purpose or not at all."""

import pathlib
import tomllib

import thalweg

PUBLIC = [
    "ThalwegError",
    "__version__",
    "check",
    "compare",
    "count",
    "demo",
    "derive",
    "diagnose",
    "doctor",
    "draw",
    "evaluate",
    "explain",
    "export",
    "follow",
    "lab",
    "landscape",
    "predict",
    "report",
    "resume",
    "rule",
    "serve",
    "speak",
    "train",
    "watch",
]


def test_public_names():
    assert sorted(thalweg.__all__) == PUBLIC


def test_every_public_name_can_be_had():
    for name in thalweg.__all__:
        assert getattr(thalweg, name) is not None
        assert name in dir(thalweg)


def test_the_version_is_the_packages():
    settings = tomllib.loads(pathlib.Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8"))
    assert thalweg.__version__ == settings["project"]["version"]
