"""Pictures that come as arrays are answered as files of the same pictures are, row by row, and as strictly read."""

import gzip
import json
import pickle
import re

import numpy as np
import pytest
import torch
from PIL import Image

import thalweg
from thalweg.cli.main import main
from thalweg.core.errors import PlanError
from thalweg.workbench.answering.predictions import csv_line

COUNT = 40  # more than the network is given at once


def made(count=COUNT, sides=(32, 32, 3), seed=1):
    return np.random.default_rng(seed).integers(0, 256, (count, *sides), dtype=np.uint8)


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def trained(folder, name, x, y, **parts):
    np.savez(folder / f"{name}.npz", x_train=x, y_train=y, **parts)
    thalweg.train(folder / f"{name}.npz", out=folder / name, epochs=1, image_size=16, batch_size=16, lr=0.01)
    return folder / name


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("run"), "sets", made(seed=0), np.arange(COUNT) % 2)


def shares(result):
    return [tuple(each.probabilities.values()) for each in result.predictions]


def of_files(run, x, folder):
    for row, picture in enumerate(x):
        folder.mkdir(exist_ok=True)
        Image.fromarray(picture).save(folder / f"{row:03d}.png")
    return shares(thalweg.predict(run, folder))


def written(folder, form, x, y):
    if form == "npz":
        np.savez(folder / "new.npz", x_test=x, y_test=y)
        return folder / "new.npz"
    if form == "npy":
        np.save(folder / "new.npy", np.moveaxis(x, -1, 1))
        return folder / "new.npy"
    if form == "idx":
        (folder / "t10k-images-idx3-ubyte.gz").write_bytes(idx(x[..., 0]))
        (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(y))
        return folder
    rows = np.moveaxis(x, -1, 1).reshape(len(x), -1)
    if form == "cifar":
        (folder / "test_batch.bin").write_bytes(np.hstack([y[:, None], rows]).tobytes())
        return folder / "test_batch.bin"
    (folder / "data_batch_3").write_bytes(pickle.dumps({b"data": rows, b"labels": y.tolist()}))
    return folder / "data_batch_3"


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("npz", "7/new-000000.png"),
        ("npy", "new.npy-000000.png"),
        ("idx", "7/t10k-images-idx3-ubyte-000000.png"),
        ("cifar", "7/test_batch-000000.png"),
        ("python", "7/data_batch_3-000000.png"),
    ],
)
def test_arrays_are_answered_as_files_of_the_same_pictures(run, tmp_path, form, name):
    x, y = made(), np.full(COUNT, 7, np.uint8)
    place = written(tmp_path, form, x, y)
    result = thalweg.predict(run, place)
    shown = np.repeat(x[..., :1], 3, axis=3) if form == "idx" else x
    assert shares(result) == of_files(run, shown, tmp_path / "png")
    assert [each.file for each in result.predictions] == [
        f"{place}/{name}".replace("000000", f"{row:06d}") for row in range(COUNT)
    ]


def test_rows_keep_their_order_and_are_called_as_in_training(run):
    x, y = made(seed=0), np.arange(COUNT) % 2
    np.savez(run.parent / "both.npz", x_train=x, y_train=y, x_test=made(6), classes=np.array(["a/b", "c"]))
    files = [each.file for each in thalweg.predict(run, [run.parent / "both.npz"]).predictions]
    top = f"{run.parent / 'both.npz'}/"
    assert files[:2] == [f"{top}train/a_b/both-000000.png", f"{top}train/c/both-000001.png"]
    assert files[COUNT:] == [f"{top}test/both-{row:06d}.png" for row in range(6)]  # no labels: they are still answered
    own = thalweg.predict(run, run.parent / "sets.npz").predictions
    data = json.loads((run / "data.json").read_text())
    names = [each.file.removeprefix(f"{run.parent / 'sets.npz'}/") for each in own]
    assert sorted(names) == sorted(data["train"] + data["validation"] + data["test"])


def test_files_and_arrays_in_the_order_asked_for_and_broken_rows_in_their_places(run, tmp_path, capsys):
    x = made(4).astype(np.float32)
    x[2, 0, 0, 0] = np.nan
    np.save(tmp_path / "f.npy", x)
    Image.fromarray(made()[0]).save(tmp_path / "one.png")
    named = [tmp_path / "one.png", tmp_path / "f.npy", tmp_path / "one.png", tmp_path / "none.npz"]
    with pytest.raises(SystemExit) as stop:
        main(["predict", str(run), *map(str, named), "--json"])
    said = capsys.readouterr()
    answers = json.loads(said.out)["predictions"]
    assert stop.value.code == 2
    assert [each["error"] for each in answers] == [
        None, None, None, "holds values that are not finite", None, None, "there is no such file",
    ]  # fmt: skip
    assert answers[0]["probabilities"] == answers[5]["probabilities"] == answers[1]["probabilities"]
    assert f"thalweg: {tmp_path / 'none.npz'}: there is no such file" in said.err


def test_several_arrays_in_a_folder_of_no_part_are_read_one_by_one_and_photos_go_first(run, tmp_path):
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", made(2))
        np.save(tmp_path / f"{name}_labels.npy", np.array([{}], object), allow_pickle=True)  # not needed, not loaded
    files = [each.file.removeprefix(f"{tmp_path}/") for each in thalweg.predict(run, tmp_path).predictions]
    assert files == [f"{name}.npy/{name}.npy-{row:06d}.png" for name in "ab" for row in range(2)]
    Image.fromarray(made()[0]).save(tmp_path / "photo.png")
    assert len(thalweg.predict(run, tmp_path).predictions) == 1


@pytest.mark.parametrize("sides", [(48, 40, 3), (40, 48, 1), (48, 40)])
def test_an_array_of_one_picture_is_answered_as_its_file(run, tmp_path, sides):
    picture = made(1, sides)[0]
    np.save(tmp_path / "one.npy", picture)
    result = thalweg.predict(run, tmp_path / "one.npy")
    assert [each.file for each in result.predictions] == [str(tmp_path / "one.npy")]
    shown = np.repeat(picture.reshape(*sides[:2], -1), 3, axis=2) if sides[2:] != (3,) else picture
    assert shares(result) == of_files(run, [shown], tmp_path / "png")
    said = ("one.npy: 48x40 is read as one grey picture",)
    assert result.notes == (said if len(sides) == 2 else ())


@pytest.mark.parametrize("sides", [(50, 784), (768, 1024), (500, 20), (40, 40, 2)])
def test_what_may_be_one_picture_or_flattened_ones_is_refused_with_both_ways_out(run, tmp_path, sides):
    np.save(tmp_path / "one.npy", made(1, sides)[0])
    (answer,) = thalweg.predict(run, tmp_path / "one.npy").predictions
    assert answer.class_ is None
    if sides[1] in {784, 1024}:
        side = {784: 28, 1024: 32}[sides[1]]
        shape = "x".join(map(str, sides))
        assert answer.error == (
            f"{shape} may be one grey picture or {sides[0]} flattened ones: save x[None] for the one, "
            f"x.reshape(-1, {side}, {side}) for the others"
        )


def test_arrays_in_memory_are_answered_as_if_they_were_saved(run, tmp_path):
    x = made(5)
    np.save(tmp_path / "array.npy", x)
    of_file = thalweg.predict(run, tmp_path / "array.npy")
    result = thalweg.predict(run, x)
    assert shares(result) == shares(of_file)
    assert [each.file for each in result.predictions] == [f"array.npy/array.npy-{row:06d}.png" for row in range(5)]
    several = thalweg.predict(run, [x[0], torch.from_numpy(x[1]), Image.fromarray(x[2])])
    assert shares(several) == pytest.approx(np.array(shares(result)[:3]), abs=1e-6)
    assert [each.file for each in several.predictions] == ["array-1.npy", "array-2.npy", "array-3.npy"]
    with pytest.raises(PlanError, match=r"^an array of object holds no numbers"):
        thalweg.predict(run, np.array([{}], object))
    with pytest.raises(PlanError, match=r"^5 is neither the name of a file or folder nor an array$"):
        thalweg.predict(run, [5])
    with pytest.raises(PlanError, match=r"^5 is neither"):
        thalweg.predict(run, 5)


def test_a_row_may_be_named_as_it_is_called(run, tmp_path):
    x = made(4)
    np.savez(tmp_path / "new.npz", x_test=x, y_test=np.array([7, 8, 7, 8]))
    whole = thalweg.predict(run, tmp_path / "new.npz")
    wanted = whole.predictions[3].file
    assert wanted == f"{tmp_path}/new.npz/8/new-000003.png"
    one = thalweg.predict(run, wanted)
    assert [each.file for each in one.predictions] == [wanted]
    assert shares(one)[0] == pytest.approx(np.array(shares(whole)[3]), abs=1e-6)
    (none,) = thalweg.predict(run, wanted.replace("000003", "000004")).predictions
    assert none.error == f"{tmp_path}/new.npz holds no picture of this name"
    (none,) = thalweg.predict(run, tmp_path / "photo-000004.png").predictions
    assert none.error == "there is no such file"


def bomb(folder):
    head = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in (1 << 20, 1 << 10, 1 << 10))
    (folder / "x-images-idx3-ubyte.gz").write_bytes(gzip.compress(head))
    return folder / "x-images-idx3-ubyte.gz"


def objects(folder):
    np.savez(folder / "o.npz", x=np.array([print], object))
    return folder / "o.npz"


def long_header(folder):
    np.save(folder / "h.npy", made(2))
    data = (folder / "h.npy").read_bytes()
    (folder / "h.npy").write_bytes(data.replace(b"(2, 32,", b"(9, 32,"))
    return folder / "h.npy"


def code_in_a_batch(folder):
    (folder / "test_batch").write_bytes(pickle.dumps({b"data": re.compile("x"), b"labels": [1]}))
    return folder / "test_batch"


def no_pictures(folder):
    np.save(folder / "n.npy", np.zeros((5, 3)))
    return folder / "n.npy"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (bomb, r"its header promises 1024 GB; the most is 8"),
        (objects, r"holds Python objects, which are not loaded since that could run code"),
        (long_header, r"is no readable \.npy file"),
        (code_in_a_batch, r"wants to load re\._compile: not loaded"),
        (no_pictures, r"samples of 3 have 1 axes; pictures have 2 or 3"),
    ],
)
def test_what_training_refuses_is_refused(run, tmp_path, make, told):
    place = make(tmp_path)
    (answer,) = thalweg.predict(run, place).predictions
    assert answer.file == str(place)
    assert answer.class_ is None
    assert re.search(told, answer.error)


def test_what_was_black_and_white_in_training_stays_so_in_few_pictures(tmp_path):
    x, y = made(48).astype(np.float32) / 64 - 2, np.arange(48) % 2
    run = trained(tmp_path, "floats", x[:40], y[:40], x_test=x[40:], y_test=y[40:])
    np.save(tmp_path / "all.npy", x)
    np.save(tmp_path / "few.npy", x[:3] / 2)
    np.save(tmp_path / "more.npy", np.concatenate([x[:3] / 2, x[3:4] * 9]))
    whole, few = (thalweg.predict(run, tmp_path / f"{name}.npy") for name in ("all", "few"))
    assert whole.notes == few.notes == ()
    more = thalweg.predict(run, tmp_path / "more.npy")
    assert shares(few) == pytest.approx(np.array(shares(more)[:3]), abs=1e-6)
    assert more.notes[0].startswith("values from -18 to ")
    assert "which are shown as 0 to 255 as in training" in more.notes[0]
    table = (run / "predictions.csv").read_text().splitlines()[1:]
    at_end = {line.split(",")[0]: float(line.split(",")[3]) for line in table}
    again = thalweg.predict(run, tmp_path / "floats.npz").predictions
    ours = {each.file.removeprefix(f"{tmp_path / 'floats.npz'}/"): each.probabilities["0"] for each in again}
    assert {name: pytest.approx(ours[name], abs=1e-4) for name in at_end} == at_end
    np.savez(tmp_path / "darker.npz", x=x[:8] / 2, y=y[:8])
    assert thalweg.evaluate(run, tmp_path / "darker.npz").accuracy == np.mean([
        each.class_ == str(label)
        for each, label in zip(thalweg.predict(run, tmp_path / "darker.npz").predictions, y, strict=False)
    ])
    assert thalweg.predict(run, tmp_path / "darker.npz").notes == ()


def test_memory_holds_blocks_and_not_the_array(run, tmp_path, monkeypatch):
    from thalweg.data.arrays import values as array_values

    sizes = []
    scaled = array_values._scaled
    monkeypatch.setattr(
        array_values, "_scaled", lambda values, *ends: sizes.append(len(values)) or scaled(values, *ends)
    )
    monkeypatch.setattr(array_values, "_PIECE", 5 * 32 * 32 * 3)
    x = made(100).astype(np.float64)
    x[[3, 97]] = np.inf
    np.save(tmp_path / "x.npy", x)
    answers = thalweg.predict(run, tmp_path / "x.npy").predictions
    assert max(sizes) == 32
    assert [row for row, each in enumerate(answers) if each.error] == [3, 97]
    clean = np.delete(x, [3, 97], axis=0).astype(np.uint8)
    np.save(tmp_path / "y.npy", clean)
    assert np.allclose(
        shares(thalweg.predict(run, tmp_path / "y.npy")),
        [tuple(e.probabilities.values()) for e in answers if not e.error],
        atol=1e-6,
    )


def test_csv_has_a_line_a_row(run, tmp_path, capsys):
    np.savez(tmp_path / "n.npz", x=made(2))
    with pytest.raises(SystemExit) as stop:
        main(["predict", str(run), str(tmp_path / "n.npz")])
    lines = capsys.readouterr().out.splitlines()
    assert not stop.value.code
    assert lines[0] == csv_line(["file", "class", "p_0", "p_1", "error"]).strip()
    assert [line.split(",")[0] for line in lines[1:]] == [f"{tmp_path}/n.npz/n-{row:06d}.png" for row in range(2)]


def test_three_planes_are_one_picture_to_a_network_of_colours_and_three_to_a_grey_one(run, tmp_path):
    x = made(count=1, seed=5)[0]
    planes = thalweg.predict(run, np.moveaxis(x, -1, 0))
    assert shares(planes) == shares(thalweg.predict(run, x))
    assert "read as one picture, channels first" in planes.notes[0]
    grey = trained(tmp_path, "grey", made(sides=(32, 32), seed=0), np.arange(COUNT) % 2)
    assert len(thalweg.predict(grey, np.moveaxis(x, -1, 0)).predictions) == 3


@pytest.mark.parametrize(("sides", "way"), [((32, 32, 4), ", :3"), ((5, 32, 32, 4), ", :3"), ((5, 4, 32, 32), ":, :3")])
def test_a_fourth_channel_is_told_with_the_way_out(run, sides, way):
    (answer,) = thalweg.predict(run, np.zeros(sides, np.uint8)).predictions
    assert "4 channels" in answer.error
    assert way in answer.error
