"""How many cores a process may really use, and that its threads are no more; what the user says stands."""

import os
import subprocess
import sys

import pytest

from thalweg.core import process
from thalweg.core.process import share_processor, threads_given, usable_cores


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Eight cores, and control groups as they are written down."""
    monkeypatch.setattr(process, "allowed_cores", lambda: 8)

    def cores(own, **files):
        (tmp_path / "own").write_text(own)
        for path, content in files.items():
            place = tmp_path / "groups" / path.replace("__", "/").replace("_max", ".max").replace("_cfs", ".cfs")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)
        return usable_cores(tmp_path / "own", tmp_path / "groups")

    return cores


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("120000 100000", 1), ("50000 100000", 1), ("max 100000", 8)],
)
def test_the_second_version_of_control_groups(machine, quota, cores):
    assert machine("0::/\n", cpu_max=quota) == cores


def test_the_narrowest_of_the_groups_around_counts(machine):
    files = {"a__cpu_max": "300000 100000", "a__b__cpu_max": "max 100000", "cpu_max": "600000 100000"}
    assert machine("0::/a/b\n", **files) == 3


@pytest.mark.parametrize(("quota", "cores"), [("400000", 4), ("-1", 8)])
def test_the_first_version(machine, quota, cores):
    own = "9:name=systemd:/docker/1\n2:cpu,cpuacct:/docker/1\n3:cpuset:/docker/1\n0::/docker/1\n"
    files = {"cpu,cpuacct__cpu_cfs_quota_us": quota, "cpu,cpuacct__cpu_cfs_period_us": "100000"}
    assert machine(own, **files) == cores


@pytest.mark.parametrize("own", ["", "nonsense", "0::/\n", "1:cpu:/\n"])
@pytest.mark.parametrize("content", ["", "a b c", "1 0", "0 0"])
def test_what_cannot_be_read_bounds_nothing(machine, own, content):
    assert machine(own, cpu_max=content, cpu__cpu_cfs_quota_us=content, cpu__cpu_cfs_period_us=content) == 8


@pytest.mark.parametrize(
    ("cores", "before", "after", "given"),
    [(2, None, "2", False), (8, None, None, False), (2, "5", "5", True), (2, "", "2", False)],
)
def test_threads_are_no_more_than_a_container_has_cores(monkeypatch, cores, before, after, given):
    for name in ("OMP_NUM_THREADS", "THALWEG_OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    if before is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", before)
    monkeypatch.setattr(process, "allowed_cores", lambda: 8)
    monkeypatch.setattr(process, "usable_cores", lambda: cores)
    share_processor()
    assert os.environ.get("OMP_NUM_THREADS") == after
    assert threads_given() is given
    share_processor()
    assert (os.environ.get("OMP_NUM_THREADS"), threads_given()) == (after, given)


def test_another_python_finds_what_this_one_finds_and_is_told_by_a_pipe(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("WORD = 'found'")
    monkeypatch.syspath_prepend(str(tmp_path))
    child = process.another_python("import mine, sys; print(mine.WORD, sys.stdin.read())")
    assert child.communicate(b"and told")[0].decode().split() == ["found", "and", "told"]


@pytest.mark.parametrize("here", [True, False])
def test_it_looks_into_the_working_folder_only_where_it_shall(tmp_path, here):
    (tmp_path / "lying.py").write_text("")
    code = (
        f"from thalweg.core.process import another_python as a; c = a('import lying', here={here}, quiet=True); "
        "c.communicate(); raise SystemExit(c.returncode)"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONSAFEPATH": "1",
    }
    if here:
        del environment["PYTHONSAFEPATH"]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=False)
    assert (done.returncode == 0) is here


@pytest.mark.parametrize(("executable", "frozen"), [(None, False), ("", False), ("qgis-bin", False), ("mine", True)])
def test_a_program_with_python_inside_is_not_started_once_more(monkeypatch, executable, frozen):
    """It would run itself: a frozen one that trains would train in its child, and in that one's child."""
    monkeypatch.setattr(process.sys, "executable", executable)
    monkeypatch.setattr(process.sys, "frozen", frozen, raising=False)
    with pytest.raises(OSError, match="no Python that can be started once more"):
        process.another_python("print('started')")
