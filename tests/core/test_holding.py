import subprocess
import sys

import pytest

from thalweg.core.errors import RunError
from thalweg.core.holding import held

HOLDER = """
import pathlib, sys
from thalweg.core.holding import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_whoever_comes_second_is_told(tmp_path):
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other,
    ):
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="in use by another thalweg: wait for it or stop it"), held(tmp_path):
            pass
        other.kill()
    with held(tmp_path):  # a killed process leaves nothing that keeps the next one out
        assert (tmp_path / ".lock").read_bytes() == b""


def test_the_hold_ends_with_the_block(tmp_path):
    with held(tmp_path):
        pass
    with held(tmp_path):
        assert [item.name for item in tmp_path.iterdir()] == [".lock"]
