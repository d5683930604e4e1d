"""Class folders of recordings, tables, arrays, scans and clips: read, windowed or fitted, and what is wrong is told."""

import struct

import numpy as np
import pytest
from PIL import Image

from thalweg.core.dataset import Sample, Wanted
from thalweg.core.errors import PictureError, SourceError
from thalweg.data.files.kinds import are_frames, kind_of_files
from thalweg.data.finding.scan import scan
from thalweg.data.formats.wav import read_wav, wav_header
from thalweg.data.measured.measuring_files import write_files
from thalweg.data.measured.store import open_measured
from thalweg.data.opening.source import open_source

RATE = 800


@pytest.fixture(autouse=True)
def cache(own_cache):
    return own_cache


def wav(path, samples, *, rate=RATE, bits=16, kind=1, extensible=False):
    """Write a .wav file of full scale 1, in any of the forms that are read."""
    samples = np.asarray(samples, float).reshape(len(samples), -1)
    if kind == 3:
        data = samples.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        data = np.rint(samples * 128 + 128).clip(0, 255).astype(np.uint8).tobytes()
    else:
        whole = np.rint(samples * 2 ** (bits - 1)).clip(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype("<i8")
        data = whole.reshape(-1, 1).view(np.uint8)[:, : bits // 8].tobytes()
    channels = samples.shape[1]
    head = struct.pack("<HHIIHH", 0xFFFE if extensible else kind, channels, rate, rate * channels * bits // 8,
                       channels * bits // 8, bits)  # fmt: skip
    if extensible:
        head += struct.pack("<HHIH", 22, bits, 0, kind) + b"\0" * 14
    chunks = b"fmt " + struct.pack("<I", len(head)) + head + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"data" + struct.pack("<I", len(data)) + data
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def tone(seconds, hz=20.0, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def measured(folder, **wanted):
    found = scan(open_source(folder, wanted=Wanted(**wanted)))
    out = folder.parent / "samples"
    write_files(found.kind, found.root, found.samples, out, Wanted(**wanted), classes=found.classes)
    return found, open_measured(out)


@pytest.mark.parametrize(
    ("bits", "kind", "within"),
    [(8, 1, 0.01), (16, 1, 1e-4), (24, 1, 1e-6), (32, 1, 1e-6), (32, 3, 1e-7), (64, 3, 1e-7)],
)
@pytest.mark.parametrize("extensible", [False, True])
def test_every_width_of_sample(tmp_path, bits, kind, within, extensible):
    wave = np.stack([tone(0.1), -tone(0.1, 40)], axis=1)
    read, header = read_wav(wav(tmp_path / "a.wav", wave, bits=bits, kind=kind, extensible=extensible))
    assert (header.rate_hz, header.channels, header.bits, header.cut_short) == (RATE, 2, bits, False)
    assert np.abs(read - wave).max() < within


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data[:0], "is empty"),
        (lambda data: b"ID3" + data, "does not begin as a .wav file does"),
        (lambda data: data[:30], "cut short|missing"),
        (lambda data: data.replace(struct.pack("<I", RATE), bytes(4), 1), "gives no rate .0 samples a second."),
        (lambda data: data[:20] + b"\x55\0" + data[22:], "compressed or of a kind that is not read .kind 85"),
        (lambda data: data[: data.index(b"data") + 8], "holds no samples"),
        (lambda data: data[: data.index(b"data")], "its data chunk is missing"),
    ],
)
def test_recordings_that_cannot_be_used(tmp_path, change, told):
    path = wav(tmp_path / "a.wav", tone(0.1))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(PictureError, match=told):
        wav_header(path)


def test_a_recording_that_ends_early_is_used_as_far_as_it_goes(tmp_path):
    path = wav(tmp_path / "a.wav", tone(0.1))
    path.write_bytes(path.read_bytes()[:-41])
    header = wav_header(path)
    assert (header.steps, header.cut_short) == (80 - 21, True)


def recordings(folder):
    for label, hz in (("high", 90), ("low", 20)):
        for number, seconds in enumerate((2.0, 1.3, 0.6)):
            wav(folder / label / f"{number}.wav", tone(seconds, hz))
    return folder


def test_recordings_are_windowed_and_those_of_one_file_belong_together(tmp_path):
    found, samples = measured(recordings(tmp_path / "sounds"))
    assert found.kind == "wav"
    index = samples.index
    assert index.names[:5] == (
        "high/0.wav@0.000s", "high/0.wav@0.500s", "high/0.wav@1.000s", "high/1.wav@0.000s", "high/1.wav@0.300s",
    )  # fmt: skip
    assert samples.values[samples.rows].shape == (12, RATE, 1)
    assert np.abs(samples.values[samples.rows[4], :, 0] - tone(1.3, 90)[240:1040]).max() < 1e-4
    assert [len(group) for group in samples.groups] == [3, 2, 3, 2]
    assert "12 signals of 1 channel x 800 steps (1 s at 800 Hz): windows of 6 recordings" in index.note
    assert index.warnings[0].reason == "2 of 6 recordings are shorter than a window of 1 s: filled with silence"


def test_windows_take_no_room_of_their_own(tmp_path):
    _, samples = measured(recordings(tmp_path / "sounds"))
    stored = (samples.folder / "values.bin").stat().st_size
    assert stored == 4 * 2 * (1600 + 1040 + 800)  # the shortest filled up


def test_the_length_of_windows_can_be_chosen_and_a_trained_network_decides_it(tmp_path):
    _, chosen = measured(recordings(tmp_path / "sounds"), window=0.25)
    assert chosen.extents == (200,)
    _, trained = measured(tmp_path / "sounds", window=0.25, extents=(160,), channels=2, rate_hz=400.0)
    assert (trained.extents, trained.channels) == ((160,), 2)
    assert trained.index.names[1] == "high/0.wav@0.200s"


def test_rates_and_channels_are_made_alike_and_it_is_said(tmp_path):
    folder = recordings(tmp_path / "sounds")
    wav(folder / "low" / "other.wav", np.stack([tone(1, 20, 1600)] * 2, axis=1), rate=1600)
    _, samples = measured(folder)
    row = samples.rows[[name.startswith("low/other") for name in samples.index.names].index(True)]
    assert np.abs(samples.values[row, :, 0] - tone(1, 20)).max() < 1e-3
    assert {notice.reason for notice in samples.index.warnings} >= {
        "1 of 7 recordings are of another rate than 800 Hz: brought to it",
        "1 of 7 recordings are of another number of channels than 1: mixed to one",
    }


def tables(folder, lengths=(30, 30, 30, 30), header="time,x,y\n"):
    random = np.random.default_rng(3)
    for number, length in enumerate(lengths):
        path = folder / "ab"[number % 2] / f"{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(
            f"{step * 0.02:.2f},{x:.4f},{y:.4f}\n" for step, (x, y) in enumerate(random.normal(size=(length, 2)))
        )
        path.write_text(header + body)
    return folder


def test_one_table_a_signal_without_its_clock(tmp_path):
    found, samples = measured(tables(tmp_path / "t"))
    assert (found.kind, samples.values.shape) == ("table", (4, 30, 2))
    _, same = measured(tables(tmp_path / "u", header=""))
    assert np.array_equal(samples.values, same.values)


def test_signals_of_different_lengths_are_cut_or_filled_and_it_is_said(tmp_path):
    _, samples = measured(tables(tmp_path / "t", (30, 40, 20, 30)))
    assert samples.extents == (30,)
    assert samples.index.warnings[0].reason == "2 of 4 signals are of another size than 30: cut or filled to it"
    assert (samples.values[1, 20:] == samples.values[1, 19]).all()


def test_files_that_are_broken_are_left_out_with_their_reason(tmp_path):
    folder = tables(tmp_path / "t")
    (folder / "a" / "bad.csv").write_text("1,2\n3\n")
    (folder / "a" / "words.csv").write_text("x,y\n" + "1,2\n" * 9 + "1,two\n")
    (folder / "b" / "nan.csv").write_text("x,y\n" + "1,2\n" * 9 + "1,nan\n")
    (folder / "b" / "short.csv").write_text("1,2\n3,4\n")
    (folder / "b" / "empty.csv").write_text("")
    (folder / "b" / "wide.csv").write_text("1,2,3\n3,1,2\n" * 15)
    _, samples = measured(folder)
    reasons = {notice.file: notice.reason for notice in samples.index.left_out}
    assert set(reasons) == {"a/bad.csv", "a/words.csv", "b/nan.csv", "b/short.csv", "b/empty.csv", "b/wide.csv"}
    assert "'two', which is no number" in reasons["a/words.csv"]
    assert "not finite" in reasons["b/nan.csv"]
    assert "has 2 steps; 8 are needed" in reasons["b/short.csv"]
    assert "unlike the others (2 channels)" in reasons["b/wide.csv"]


def test_arrays_of_one_volume_each_are_resized_to_the_usual_size(tmp_path):
    for number, sides in enumerate([(9, 10, 11), (9, 10, 11), (18, 20, 22), (9, 10, 11)]):
        path = tmp_path / "v" / "ab"[number % 2] / f"{number}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.full(sides, number, np.int16))
    found, samples = measured(tmp_path / "v")
    assert (found.kind, samples.values.shape, samples.index.form) == ("npy", (4, 9, 10, 11, 1), "volume")
    assert [float(each.mean()) for each in samples.values] == [0, 2, 1, 3]
    assert "1 of 4 volumes are of another size than 9x10x11: resized to it" in samples.index.warnings[0].reason


def test_scans_lie_in_one_direction(tmp_path):
    nibabel = pytest.importorskip("nibabel", reason="the extra nifti is not installed")
    values = np.arange(8 * 9 * 10, dtype=np.int16).reshape(8, 9, 10)
    for number in range(4):
        path = tmp_path / "s" / "ab"[number % 2] / f"{number}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        turned = np.diag([-1 if number == 3 else 1, 1, 1, 1])
        nibabel.save(nibabel.Nifti1Image(values[::-1] if number == 3 else values, turned), path)
    (tmp_path / "s" / "a" / "bad.nii").write_bytes(b"no scan")
    found, samples = measured(tmp_path / "s")
    assert (found.kind, samples.extents) == ("nifti", (8, 9, 10))
    assert (samples.values[..., 0] == values).all()
    assert "is no readable NIfTI scan" in samples.index.left_out[0].reason


def clips(folder, frames=6, side=16):
    random = np.random.default_rng(0)
    for number in range(4):
        for frame in range(frames):
            path = folder / "ab"[number % 2] / f"clip{number}" / f"frame_{frame:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 255, (side, side, 3), np.uint8)).save(path)
    return folder


def test_folders_of_frames_are_clips_in_the_order_of_their_numbers(tmp_path):
    folder = clips(tmp_path / "c", 12)
    for frame in range(12):  # numbers without leading zeros
        (folder / "a" / "clip0" / f"frame_{frame:02d}.png").rename(folder / "a" / "clip0" / f"f{frame}.png")
    found, samples = measured(folder)
    assert (found.kind, samples.values.shape, samples.values.dtype) == ("clip", (4, 12, 16, 16, 3), np.uint8)
    assert np.array_equal(samples.values[0, 10], np.asarray(Image.open(folder / "a" / "clip0" / "f10.png")))
    assert samples.index.upright
    assert scan(open_source(folder, wanted=Wanted(form="pictures"))).kind == "picture"


def test_a_clip_of_one_frame_or_with_a_frame_missing_makes_no_pictures_of_the_others(tmp_path):
    folder = clips(tmp_path / "c", 6)
    for frame in range(1, 6):
        (folder / "a" / "clip0" / f"frame_{frame:02d}.png").unlink()
    found, samples = measured(folder)
    assert (found.kind, samples.values.shape) == ("clip", (3, 6, 16, 16, 3))
    assert [(each.file, each.reason) for each in samples.index.left_out] == [
        ("a/clip0", "has 1 frame: that is a picture, not a clip")
    ]
    folder = clips(tmp_path / "gaps", 6)
    (folder / "b" / "clip1" / "frame_03.png").unlink()
    assert scan(open_source(folder)).kind == "clip"
    (folder / "a" / "clip2" / "frame_03.png").unlink()  # now half of them have a gap
    assert scan(open_source(folder)).kind == "picture"


def test_single_pictures_are_no_volumes_however_they_are_asked_for(tmp_path):
    with pytest.raises(SourceError, match=r"holds single pictures and no clips.*leave --form volumes out"):
        scan(open_source(clips(tmp_path / "c", 1), wanted=Wanted(form="volumes")))


def test_patients_of_pictures_without_an_order_are_no_clips():
    assert not are_frames(
        [Sample(f"a/p{patient}/scan{patient}{place}.png", 0) for patient in "12" for place in "159"], ["a"]
    )
    assert not are_frames([Sample("a/p1/1.png", 0), Sample("a/p2/1.png", 0)], ["a"])


def test_the_kind_is_what_most_files_are(tmp_path):
    folder = recordings(tmp_path / "sounds")
    (folder / "low" / "cover.png").write_bytes(b"")
    assert kind_of_files(str(folder)) == "wav"
    found = scan(open_source(folder))
    assert found.left_out[0].reason == "none of the recordings that this source is made of"


def test_what_is_missing_is_told_in_the_words_of_the_kind(tmp_path):
    folder = recordings(tmp_path / "sounds")
    with pytest.raises(
        SourceError, match="is a single file; name the folder that holds recordings in one folder a class"
    ):
        open_source(folder / "low" / "0.wav")
    with pytest.raises(SourceError, match="3 recordings lie directly in the folder, without classes"):
        scan(open_source(folder / "low"))
    (tmp_path / "x.wav").write_bytes(b"")
    with pytest.raises(SourceError, match=r"none of 1 files is usable, first x\.wav: is empty"):
        write_files("wav", tmp_path, [Sample("x.wav", 0)], tmp_path / "out", Wanted())
