"""The command line as tests call it: in this process, with what it says and its exit status."""

import json
import os
import pathlib
import signal

import jsonschema
import pytest

from thalweg.cli.main import main

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "core" / "schemas"


@pytest.fixture
def thalweg(capsys):
    """Run a command; gives what stands on standard output and standard error."""

    def run(*words, status=0):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert stop.value.code == status, (out, err)
        return out, err

    return run


@pytest.fixture
def answered(thalweg):
    """Run a command with --json; gives its object, which fits the schema of its verb or the one that is named."""

    def run(verb, *words, status=0, schema=None):
        data = json.loads(thalweg(verb, *words, "--json", status=status)[0])
        jsonschema.validate(data, json.loads((SCHEMAS / f"{schema or verb}.json").read_text(encoding="utf-8")))
        return data

    return run


@pytest.fixture
def heard_hang_up():
    """SIGHUP as a terminal's programs have it: tests that run under `nohup` were told to ignore it."""
    if os.name == "nt":
        pytest.skip("Windows knows no SIGHUP")
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
