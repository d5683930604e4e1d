import struct

import numpy as np
import pytest

from thalweg.core.errors import LogError
from thalweg.core.tfrecord import crc32c, masked_sum
from thalweg.histories.reading import read
from thalweg.histories.records import masked_sums


def record(data):
    """One record as TensorFlow frames it."""

    def masked(part):
        value = crc32c(part)
        return struct.pack("<I", (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF)

    size = struct.pack("<Q", len(data))
    return size + masked(size) + data + masked(data)


def scalar(tag, step, value):
    """An event of one scalar."""
    name = tag.encode()
    entry = bytes([0x0A, len(name)]) + name + b"\x15" + struct.pack("<f", value)
    summary = bytes([0x0A, len(entry)]) + entry
    number = b""
    while step >= 0x80:
        number, step = number + bytes([step & 0x7F | 0x80]), step >> 7
    return record(
        b"\x09" + struct.pack("<d", 1.0) + b"\x10" + number + bytes([step]) + bytes([0x2A, len(summary)]) + summary
    )


def test_what_torch_wrote(sample, curve, near, points):
    (run,), truth = sample("tensorboard", "plain")
    for ours, theirs in (
        ("train_loss", "train"),
        ("val_loss", "val"),
        ("val_accuracy", "accuracy"),
        ("batch_loss", "batch"),
    ):
        assert near(curve(run, ours), points(truth[theirs]))


def test_what_tensorboardx_wrote(sample, curve, near, points):
    (run,), truth = sample("tensorboardx")
    assert near(curve(run, "train_loss"), points(truth["train"]))
    assert near(curve(run, "val_loss"), points(truth["val"]))


def test_what_keras_wrote_in_two_folders_as_tensors(sample, curve, near, points):
    (run,), truth = sample("keras", "tensorboard")
    assert run.format == "TensorBoard, by Keras"
    assert near(curve(run, "train_loss"), points(truth["loss"]))
    assert near(curve(run, "val_accuracy"), points(truth["val_accuracy"]))


def test_a_resumed_run_in_two_files(sample, curve, near, points):
    (run,), (first, second) = sample("tensorboard", "resumed")
    assert near(curve(run, "train_loss"), points([row[1] for row in first[:2] + second]))
    assert near(curve(run, "val_loss"), points([row[2] for row in first[:2] + second]))
    assert "a later file goes back to step 2" in " ".join(run.notes)


def test_add_scalars_writes_a_folder_a_curve(sample, curve, near, points):
    (run,), truth = sample("tensorboard", "scalars")
    assert near(curve(run, "train_loss"), points([row[0] for row in truth]))
    assert near(curve(run, "val_loss"), points([row[1] for row in truth]))


def test_nan_and_infinity_are_values(sample, curve, near, points):
    (run,), truth = sample("tensorboard", "non_finite")
    assert near(curve(run, "train_loss"), points(truth))


def test_two_runs_in_one_folder_stay_two(tmp_path, curve):
    for stamp, values in ((1, (3.0, 2.0)), (2, (9.0, 8.0))):
        data = b"".join(scalar("loss", step, value) for step, value in enumerate(values))
        (tmp_path / f"events.out.tfevents.{stamp}.x").write_bytes(record(b"\x1a\x0dbrain.Event:2") + data)
    runs = read(tmp_path)
    assert [curve(run, "train_loss") for run in runs] == [{1: 3.0, 2: 2.0}, {1: 9.0, 2: 8.0}]


@pytest.mark.parametrize("cut", [1, 10, 17])
def test_a_last_record_cut_off_is_left_out_and_said(tmp_path, cut, curve):
    path = tmp_path / "events.out.tfevents.1.x"
    path.write_bytes(b"".join(scalar("loss", step, 5.0 - step) for step in range(4))[:-cut])
    (run,) = read(path)
    assert curve(run, "train_loss") == {1: 5.0, 2: 4.0, 3: 3.0}
    assert "cut off" in " ".join(run.notes)


@pytest.mark.parametrize("count", [4, 200])
def test_a_changed_byte_costs_its_record_alone(tmp_path, count, curve):
    records = [scalar("loss", step, 100.0) for step in range(count)]
    broken = bytearray(records[1])
    broken[-6] ^= 1
    path = tmp_path / "events.out.tfevents.1.x"
    path.write_bytes(records[0] + bytes(broken) + b"".join(records[2:]))
    (run,) = read(path)
    assert sorted(curve(run, "train_loss")) == [1, *range(3, count + 1)]
    assert "1 damaged record" in " ".join(run.notes)


def test_no_point_is_dropped(tmp_path, curve):
    path = tmp_path / "events.out.tfevents.1.x"
    path.write_bytes(b"".join(scalar("loss", step, float(step)) for step in range(3000)))
    assert list(curve(read(path)[0], "batch_loss")) == list(range(1, 3001))


@pytest.mark.parametrize(
    "content", [b"", b"nonsense that is no record", record(b"\x1a\x0dbrain.Event:2"), record(b"\xff")]
)
def test_files_without_scalars_are_refused_in_a_sentence(log, content):
    with pytest.raises(LogError, match=r"events\.out"):
        log("events.out.tfevents.1.x", content)


def test_the_check_sum_of_many_is_that_of_one():
    rows = [bytes(row) for row in np.random.default_rng(0).integers(0, 256, (70, 33), dtype=np.uint8)]
    assert masked_sums(rows).tolist() == [masked_sum(row) for row in rows]


def test_every_sample_has_its_file(samples):
    assert len(list(samples.rglob("events.out.tfevents.*"))) == 10
