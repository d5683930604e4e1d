import json
import pathlib
import pickle
import shutil
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thalweg.core.errors import LogError, ThalwegError
from thalweg.histories import reading
from thalweg.histories.log_file import LogFile
from thalweg.histories.reading import READERS, read

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "log_samples"
FILES = sorted(
    path.relative_to(SAMPLES).as_posix()
    for path in SAMPLES.rglob("*")
    if path.is_file()
    and path.suffix not in {".py", ".pyc"}
    and path.name not in {"truth.json", "VERSIONS.json", "meta.yaml"}
)
LOGS = [name for name in FILES if "mlruns" not in name]


class Bomb:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("exploded"),))


def test_samples_are_there_with_their_versions():
    assert len(LOGS) > 20
    versions = json.loads((SAMPLES / "VERSIONS.json").read_text(encoding="utf-8"))
    assert {path.parent.name for path in SAMPLES.glob("*/truth.json")} == set(versions)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_every_reader_reads_a_sample(reader):
    formats = {run.format for run in read(SAMPLES)}
    others = {"history as JSON": "Keras History", "JSON lines": "detectron2 JSON lines"}
    untried = {"thalweg run", "table", "printed lines"}  # of no one library: their own tests have them
    untried |= {
        "CatBoost",
        "XGBoost or LightGBM",
        "YOLO's table",
        "YOLO's results.txt",
        "printed lists",
        "table among text",
    }  # written after what people quote of them
    assert others.get(reader.name, reader.name) in formats or reader.name in untried


def test_a_folder_of_everything_gives_every_run(tmp_path):
    runs = read(SAMPLES)
    assert len({run.place for run in runs}) == len(runs) > 20
    assert all(run.history.signals for run in runs)


@pytest.mark.parametrize("suffix", [".pkl", ".pt", ".csv"])
def test_a_pickle_is_never_opened(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"history{suffix}"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(LogError, match=r"pickle.*json\.dump"):
        read(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"\x00\x01\x02\x03" * 99, "no text"), (b"\x89PNG\r\n\x1a\n\0\0\0", "no text")],
)
def test_files_that_are_no_text_are_refused_in_a_sentence(log, content, said):
    with pytest.raises(LogError, match=said):
        log("log.csv", content)


def test_a_list_of_numbers_is_asked_for_its_name_unless_the_file_says_it(log):
    with pytest.raises(LogError, match="4 numbers, of which nothing says what they are"):
        log("l.json", "[2.3, 1.9, 1.5, 1.2]")
    (run,) = log("train_loss.json", "[2.3, 1.9, 1.5, 1.2]")
    assert [signal.name for signal in run.history.signals] == ["train_loss"]


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(LogError, match="cannot be read: No such file"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(LogError, match="no file name"):
        read("a\0b")
    with pytest.raises(LogError, match=r"holds no training log that can be read \(0 files looked at\)"):
        read(tmp_path)


def test_a_loop_of_links_ends(tmp_path, curve):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.csv").symlink_to(tmp_path / "self.csv")
    (tmp_path / "a" / "log.csv").write_text("epoch,loss\n0,2\n1,1\n", encoding="utf-8")
    (run,) = read(tmp_path)
    assert curve(run, "train_loss") == {1: 2.0, 2: 1.0}
    with pytest.raises(LogError, match="cannot be read"):
        read(tmp_path / "self.csv")


def test_a_folder_of_runs_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 1):
        (tmp_path / f"run-{number}").mkdir()
        (tmp_path / f"run-{number}" / "log.csv").write_text("epoch,loss\n0,2\n1,1\n", encoding="utf-8")
    (tmp_path / "prices.csv").write_text("name,price\nx,1\n", encoding="utf-8")
    assert [pathlib.Path(run.place).parent.name for run in read(tmp_path)] == ["run-1", "run-9", "run-10"]


def test_checkpoints_of_one_run_are_not_more_runs(tmp_path):
    state = json.loads((SAMPLES / "transformers" / "trainer_state.json").read_text(encoding="utf-8"))
    for step in (16, 32):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        rows = [row for row in state["log_history"] if row["step"] <= step]
        (folder / "trainer_state.json").write_text(json.dumps(state | {"global_step": step, "log_history": rows}))
    (run,) = read(tmp_path)
    assert run.history.epochs == 4
    assert "1 other trainer_state.json" in run.notes[-1]


def test_event_files_beside_a_table_of_the_same_run_are_not_a_second_run(tmp_path):
    shutil.copy(SAMPLES / "lightning" / "metrics.csv", tmp_path)
    shutil.copy(next((SAMPLES / "tensorboard" / "plain").iterdir()), tmp_path)
    assert [run.format for run in read(tmp_path)] == ["Lightning CSVLogger"]


def test_large_data_beside_a_log_is_not_read(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(reading, "LogFile", lambda path: opened.append(path.name) or LogFile(path))
    (tmp_path / "log.csv").write_text("epoch,loss\n0,2\n1,1\n", encoding="utf-8")
    (tmp_path / "data.csv").write_text("pixel,label\n" + "0,1\n" * 1_200_000, encoding="utf-8")
    assert len(read(tmp_path)) == 1
    assert opened == ["log.csv"]


def test_steps_beyond_counting_are_left_out(log, curve):
    (run,) = log("log.csv", "epoch,step,loss\n1,1e300,2\n1,2,3\n2,nan,1\n1e18,4,1\n2,5,1\n")
    assert curve(run, "train_loss")[1] == 2.5


def test_odd_names_are_shown_on_one_line(log):
    (run,) = log("l\nو.csv", "epoch,loss\n1,2\n2,1\n")
    assert run.place.endswith("l\\nو.csv")


def test_nothing_heavy_is_loaded():
    code = (
        "import sys; from thalweg.histories.reading import read; read(sys.argv[1]);"
        "print({'torch', 'pandas', 'tensorflow', 'tensorboard', 'mlflow', 'sympy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(SAMPLES)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_ends_in_runs_or_in_one_sentence(tmp_path, name, data):
    whole = (SAMPLES / name).read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    damaged = bytearray(whole[:cut])
    for _ in range(data.draw(st.integers(0, 4)) if cut else 0):
        damaged[data.draw(st.integers(0, cut - 1))] = data.draw(st.integers(0, 255))
    damaged += data.draw(st.binary(max_size=20))
    path = tmp_path / pathlib.Path(name).name
    path.write_bytes(damaged)
    assert _runs_or_sentence(path)


@pytest.mark.parametrize(
    "name", ["x.csv", "x.json", "x.jsonl", "x.db", "events.out.tfevents.1.x", "trainer_state.json", "x"]
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(str.encode),
        st.text('{}[]",:01.enai lostp\n;', max_size=200).map(str.encode),
    )
)
def test_anything_ends_in_runs_or_in_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert _runs_or_sentence(path)


def _runs_or_sentence(path):
    try:
        runs = read(path)
    except ThalwegError as error:
        return "\n" not in str(error) and len(str(error)) < 1500
    return all(run.history.signals for run in runs) and len(runs) > 0


def test_reinforcement_learning_is_not_judged_unless_asked(tmp_path):
    path = tmp_path / "progress.csv"
    rows = "".join(f"{2048 * n},{15 * n},{20 - 0.3 * n}\n" for n in range(1, 13))
    path.write_text(f"time/total_timesteps,rollout/ep_rew_mean,train/loss\n{rows}", encoding="utf-8")
    with pytest.raises(LogError, match=r"reinforcement learning.*--columns train_loss=train/loss"):
        read(path)
    assert read(path, columns={"train_loss": "train/loss"})
    path.write_text(f"step,mean_reward,train/loss\n{rows}", encoding="utf-8")
    assert read(path)
