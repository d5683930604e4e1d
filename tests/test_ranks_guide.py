"""The files for SLURM and Kubernetes: whole as shell and YAML, with keys, verbs and options that exist; scale.md."""

import importlib.util
import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

EXAMPLES = pathlib.Path(__file__).parents[1] / "docs" / "examples"
SLURM, JOB = EXAMPLES / "train.slurm", EXAMPLES / "pytorchjob.yaml"

JOB_KEYS = {
    "": {"apiVersion", "kind", "metadata", "spec"},
    "spec": {"nprocPerNode", "elasticPolicy", "runPolicy", "pytorchReplicaSpecs"},
    "spec.elasticPolicy": {
        *("rdzvBackend", "rdzvHost", "rdzvPort", "rdzvId", "rdzvConf", "standalone", "metrics"),
        *("minReplicas", "maxReplicas", "maxRestarts", "nProcPerNode"),
    },
    "spec.pytorchReplicaSpecs": {"Master", "Worker"},
    "spec.pytorchReplicaSpecs.Worker": {"replicas", "restartPolicy", "template"},
    "spec.pytorchReplicaSpecs.Worker.template": {"metadata", "spec"},
}
"""Keys of Kubeflow's PyTorchJob, version kubeflow.org/v1."""
CONTAINER_KEYS = {"name", "image", "imagePullPolicy", "command", "args", "env", "resources", "volumeMounts"}


@pytest.fixture(scope="module")
def job():
    return yaml.safe_load(JOB.read_text(encoding="utf-8"))


def at(job, place):
    for key in place.split(".") if place else ():
        job = job[key]
    return job


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_the_slurm_file_is_whole_shell():
    done = subprocess.run(["bash", "-n", str(SLURM)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert SLURM.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_the_shell_inside_the_job_is_whole(job, tmp_path):
    (container,) = at(job, "spec.pytorchReplicaSpecs.Worker.template.spec")["containers"]
    assert container["command"] == ["bash", "-c"]
    (tmp_path / "inside.sh").write_text(container["args"][0])
    done = subprocess.run(["bash", "-n", str(tmp_path / "inside.sh")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("place", JOB_KEYS)
def test_the_job_has_only_keys_that_the_operator_knows(job, place):
    assert set(at(job, place)) <= JOB_KEYS[place]


def test_the_job_is_one_that_the_operator_takes(job):
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "PyTorchJob")
    worker = at(job, "spec.pytorchReplicaSpecs.Worker")
    policy = at(job, "spec.elasticPolicy")
    assert policy["minReplicas"] <= worker["replicas"] <= policy["maxReplicas"]
    assert worker["restartPolicy"] in {"Always", "OnFailure", "Never", "ExitCode"}
    pod = worker["template"]["spec"]
    (container,) = pod["containers"]
    assert container["name"] == "pytorch"
    assert set(container) <= CONTAINER_KEYS
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert all(isinstance(each["value"], str) for each in container["env"])


@pytest.mark.parametrize("path", [SLURM, JOB], ids=lambda path: path.name)
def test_the_verbs_and_options_exist(path):
    from typer.main import get_command

    from thalweg.cli.main import app

    text = path.read_text(encoding="utf-8")
    calls = re.findall(r"words=\((.*?)\)$|words=\((.*?)\);", text, flags=re.MULTILINE)
    words = [next(filter(None, call)).split() for call in calls]
    assert {call[0] for call in words} == {"train", "resume"}
    for verb, *rest in words:
        known = {name for option in get_command(app).commands[verb].params for name in option.opts}
        assert {word for word in rest if word.startswith("--")} <= known


def test_the_page_of_scale_is_what_its_script_writes_from_the_committed_result():
    repository = pathlib.Path(__file__).parents[1]
    made = importlib.util.spec_from_file_location("scale", repository / "benchmarks" / "scale.py")
    script = importlib.util.module_from_spec(made)
    made.loader.exec_module(script)
    result = json.loads((repository / "benchmarks" / "results" / "scale.json").read_text(encoding="utf-8"))
    assert (repository / "docs" / "scale.md").read_text(encoding="utf-8") == script.page(result)
    row = next(row for row in result["table"] if row["machines"] == 1 and "A100" in row["machine"])
    images, epochs = script.WORK[row["work"]]
    assert row["hours"] == pytest.approx(images * epochs / row["pictures_a_second"] / 3600)
