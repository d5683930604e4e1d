"""kill -9, then resume: a moment of each kind that can be named; benchmarks/reliability/kill.py has random ones too."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "reliability" / "kill.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks, so as to import torch once")
def test_a_run_killed_at_a_random_moment_ends_as_if_nothing_had_been(tmp_path):
    command = [sys.executable, str(SCRIPT), "--seeds", "1,2,4", "--out", str(tmp_path / "kill.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "kill.json").read_text())
    assert result["equal"] == result["seeds"] == 3
    assert result["kinds"]["step"] == result["kinds"]["write"] == result["kinds"]["validation"] == 1
