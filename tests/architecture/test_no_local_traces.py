"""Nothing in the repository speaks of the machine it was written on, or of where its packages came from."""

import pathlib
import re
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TRACES = {
    "a path of one machine": re.compile(r"(?<![\w.~}>*-])/(?!home/somebody\b)(?:work|root|home|opt|Users|tmp)/\w"),
    "a path of one machine ": re.compile(r"\b[A-Z]:\\Users\\\w"),
    # Where published weights lie may be named, the index of packages on the same host may not.
    "the host of a package registry": re.compile(
        r"\b(?:pypi|pythonhosted)\.\w|download\.pytorch\.(?!org/models/)\w|index-url[ =]"
    ),
}


def _tracked():
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [REPOSITORY / name for name in listed.decode().split("\0") if name]


def _traces(text):
    return [
        f"line {number}: {what.strip()}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in TRACES.items()
        if pattern.search(line)
    ]


def test_no_file_has_one():
    found = []
    for path in _tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):  # pictures; deleted but not yet committed
            continue
        found += [f"{path.relative_to(REPOSITORY).as_posix()}, {trace}" for trace in _traces(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "x = '" + "/" + "home/ann/photos'",
        "(" + "/" + "tmp/a)",
        "https://" + "pypi" + ".org/simple",
        "https://" + "download.pytorch" + ".org/whl/cpu",
        "C:" + "\\Users\\ann",
    ],
)
def test_a_trace_is_seen(text):
    assert _traces(text)


@pytest.mark.parametrize(
    "text",
    [
        "/home/somebody/photos",
        "https://example.org/home/page",
        "../shared/data",
        "runs/tmp/a",
        "and/or",
        "PyPI",
        "https://download.pytorch.org/models/a.pth",
    ],
)
def test_what_is_no_trace_is_let_pass(text):
    assert _traces(text) == []
