import math
import struct
import subprocess
import sys

import numpy as np
import pytest

import thalweg
from thalweg.core.run_folder import RunFolder
from thalweg.core.tfrecord import crc32c
from thalweg.exporting.tensorboard import EventWriter
from thalweg.histories.reading import read
from thalweg.workbench.runs.event_log import EventLog, write_events


def test_our_own_reader_reads_back_what_was_written(tmp_path):
    writer = EventWriter(tmp_path)
    losses = [1 / step for step in range(1, 301)]
    for step, loss in enumerate(losses, start=1):
        writer.add(step, {"batch_loss": loss, "learning_rate": 1e-3, "گربه": math.nan if step % 2 else 2.0})
    writer.flush()
    (run,) = read(tmp_path)
    assert run.format == "TensorBoard"
    assert not run.notes
    signal = run.history.signal("batch_loss")
    assert signal.steps == tuple(range(1, 301))
    np.testing.assert_array_equal(signal.values, np.array(losses, dtype=np.float32))


def test_the_first_record_is_the_version_and_every_sum_is_right(tmp_path):
    writer = EventWriter(tmp_path, resumed=300)
    writer.add(2**40, {"loss": 1e300, "low": -math.inf})
    writer.flush()
    data, events = writer.path.read_bytes(), []
    while data:
        length, head = struct.unpack("<QI", data[:12])
        event, (tail,) = data[12 : 12 + length], struct.unpack("<I", data[12 + length : 16 + length])
        for part, told in ((data[:8], head), (event, tail)):
            value = crc32c(part)
            assert ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF == told
        events.append(event)
        data = data[16 + length :]
    assert events[0].endswith(b"\x1a\rbrain.Event:2")
    assert events[1].endswith(b"\x10\xad\x02\x3a\x02\x08\x01")  # step 301, a session begins
    assert len(events) == 3


def test_a_run_that_goes_on_takes_the_place_of_what_came_after(tmp_path):
    (tmp_path / "tensorboard").mkdir()
    row = (0.0, 1.0, 9.0, 9.0, 1.0, 1e-3, 0.1)
    first = EventLog.of(tmp_path)
    first.steps([(step, *row[1:]) for step in range(1, 21)])
    second = EventLog.of(tmp_path, resumed=10)
    second.steps([(step, 1.0, 5.0, 5.0, 1.0, 1e-3, 0.1) for step in range(11, 31)])
    (run,) = read(tmp_path / "tensorboard")
    signal = run.history.signal("batch_loss")
    assert signal.steps == tuple(range(1, 31))
    assert signal.values == (9.0,) * 10 + (5.0,) * 20
    assert EventLog.of(tmp_path / "elsewhere") is None


@pytest.fixture(scope="module")
def run(photo_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tensorboard") / "run"
    thalweg.train(photo_folder, epochs=3, out=folder, lr=1e-3, repair=False, image_size=16, tensorboard=True)
    return folder


def test_training_writes_beside_the_run_what_the_run_wrote(run):
    (own,), (events,) = read(run), read(run / "tensorboard")
    for name in ("train_loss", "val_loss", "val_accuracy", "batch_loss"):
        mine, theirs = own.history.signal(name), events.history.signal(name)
        assert mine.steps == theirs.steps, name
        np.testing.assert_allclose(mine.values, theirs.values, rtol=1e-6)
    assert len(read(run)) == 1  # not read twice


def test_a_finished_run_is_written_afterwards_as_while_it_trained(run):
    (before,) = read(run / "tensorboard")
    write_events(RunFolder(run))
    (after,) = read(run / "tensorboard")
    assert len(list((run / "tensorboard").iterdir())) == 1
    for signal in before.history.signals:
        other = after.history.signal(signal.name)
        assert other.steps == signal.steps
        np.testing.assert_allclose(other.values, signal.values, rtol=1e-5)


def test_tensorboard_itself_reads_it(run):
    pytest.importorskip("tensorboard", reason="the oracle is not installed")
    code = f"""
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = EventAccumulator({str(run / "tensorboard")!r}, size_guidance={{"scalars": 0}}).Reload()
print(sorted(found.Tags()["scalars"]), [event.step for event in found.Scalars("validation/loss")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    tags = ["epoch", "gradient_norm", "images_per_second", "learning_rate"]
    tags += ["train/accuracy", "train/loss", "train/loss_step", "validation/accuracy", "validation/loss"]
    (steps,) = {line for line in done.stdout.splitlines() if line.startswith("[")}
    last = len(read(run)[0].history.signal("batch_loss").steps)
    assert steps == f"{tags} {[last // 3, 2 * last // 3, last]}"
