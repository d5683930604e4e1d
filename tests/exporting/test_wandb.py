"""wandb itself writes the run offline; its log is read back record by record."""

import json
import pathlib
import struct
import time

import pytest

import thalweg
from thalweg.core.run_folder import RunFolder
from thalweg.workbench.export_tracked import tracked_run

pytest.importorskip("wandb", reason="the extra wandb is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
_BLOCK, _HEAD = 32768, 7


def records(path):
    """A `.wandb` file: LevelDB's log format, behind a head of seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, whole = path.read_bytes(), _HEAD, b""
    while place + _HEAD <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEAD:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + _HEAD])
        whole += data[place + _HEAD : place + _HEAD + length]
        place += _HEAD + length
        if kind in {1, 4}:
            record = Record()
            record.ParseFromString(whole)
            whole = b""
            yield record


@pytest.fixture(scope="module")
def run(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wandb") / "run"
    thalweg.train(photo_folder, epochs=2, out=folder, lr=1e-3, image_size=16, batch_size=8)
    return folder


@pytest.fixture(scope="module")
def written(run):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_CACHE_DIR", str(run.parent / "cache"))
        patch.setenv("WANDB_DATA_DIR", str(run.parent / "data"))
        patch.setenv("WANDB_CONFIG_DIR", str(run.parent / "config"))
        patch.delenv("WANDB_MODE", raising=False)
        (run / "wandb" / "offline-run-20200101_000000-anothers").mkdir(parents=True)
        first = thalweg.export(run, wandb="photos")
        time.sleep(1.1)  # wandb names its folders by the second
        return first, thalweg.export(run, wandb="photos")


def test_written_again_a_run_takes_its_own_place(run, written):
    first, second = written
    assert first.tracked[0]["run_id"] == second.tracked[0]["run_id"]
    assert (first.tracked[0]["again"], second.tracked[0]["again"]) == (False, True)
    assert not pathlib.Path(first.path).exists()
    assert pathlib.Path(second.path).is_file()
    names = {path.name for path in (run / "wandb").glob("offline-run-*")}
    assert names == {"offline-run-20200101_000000-anothers", pathlib.Path(second.path).parent.name}
    assert second.tracked[0]["opened_with"] == f"wandb sync {pathlib.Path(second.path).parent}"


def test_the_log_holds_every_value_at_its_step_and_time(run, written, tmp_path):
    tracked = tracked_run(RunFolder(run), tmp_path)
    wanted = {
        (curve.tag, step): value
        for curve in tracked.curves
        for step, value in zip(curve.steps, curve.values, strict=True)
    }
    found, times, kinds = {}, {}, set()
    for record in records(pathlib.Path(written[1].path)):
        kinds.add(record.WhichOneof("record_type"))
        if record.WhichOneof("record_type") != "history":
            continue
        row = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
        times[row["_step"]] = row["_timestamp"]
        found |= {(key, row["_step"]): value for key, value in row.items() if not key.startswith("_")}
    assert found == pytest.approx(wanted, rel=1e-12)
    assert list(times.values()) == sorted(times.values())
    last = next(curve for curve in tracked.curves if curve.tag == "epoch")
    assert times[last.steps[-1]] == pytest.approx(last.times[-1], abs=1e-3)
    assert {"artifact", "run", "exit", "summary"} <= kinds


def test_settings_scores_and_files_are_in_it_and_nothing_of_the_machine(run, written):
    settings, scores, files = {}, {}, set()
    everything = list(records(pathlib.Path(written[1].path)))
    for record in everything:
        settings |= {each.key: json.loads(each.value_json) for each in record.run.config.update}
        scores |= {each.key: json.loads(each.value_json) for each in record.summary.update if each.key}
        files |= {each.path for each in record.artifact.manifest.contents}
    assert settings["learning_rate"] == 0.001
    assert scores["score/accuracy"] == json.loads((run / "metrics.json").read_text())["accuracy"]
    assert {"report.html", "MODEL_CARD.md", "model.safetensors", "network.json"} <= files
    assert "data.json" not in files
    assert {record.run.host for record in everything} <= {"", "unnamed"}
    assert not any(record.HasField("environment") for record in everything)
    assert not list((run / "wandb").rglob("requirements.txt"))
