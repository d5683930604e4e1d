"""What shifting and mirroring training samples gain, source by source, beside what tells it beforehand.

    python benchmarks/shift_and_mirror.py --data DATA --out benchmarks/results/shift-and-mirror.json [--seeds 1 2 3]

DATA is a folder with `cifar10/`, `fashion-mnist/`, `chest-xray/`, `ecg-mitbih/`, `adrenalmnist3d/`; `elpv` comes with
the extra `demo`. Each source is trained on from scratch by `thalweg train` twice with the same seed and files, with
`--shift` and `--no-shift`; some with `--mirror` and `--no-mirror`. `elpv-folder` are the same photos as a plain folder.
`printed` are clothes of Fashion-MNIST at random places on one fixed pattern, as a camera above a line sees parts: its
contrast says how much of a picture is the same in all. `arrows` are signs that point left or right, a bar or a dot, on
pictures of CIFAR-10; `letters` are b, d, p, q, in six fonts. Told are accuracy, area under the ROC curve and loss on
the reported split; beside them what `thalweg train` would have decided by: how much of a shift is the same in all
samples, and how many answers mirrored copies cost a small classifier. Rounds are kept: the same command goes on.
"""

import csv
import gzip
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kept_rounds import area, cifar_folders, go_on, train

WORDS = {
    "elpv": "--epochs 24 --split 46/10/44",
    "elpv-folder": "--epochs 24 --split 46/10/44",
    "xray": "--epochs 24 --split 70/10/20 --image-size 96",
    "fashion": "--epochs 24",
    "cifar": "--epochs 24",
    "digits": "--epochs 24",
    "ecg": "--epochs 5",
    "adrenal": "--epochs 12",
    "printed-0.1": "--epochs 24",
    "printed-0.2": "--epochs 24",
    "printed-0.4": "--epochs 24",
    "printed-0.8": "--epochs 24",
    "arrows": "--epochs 24",
    "letters": "--epochs 24",
}
MIRRORED = ("arrows", "letters", "digits", "fashion", "cifar", "xray", "elpv-folder")
CASES = [
    *(f"{source} {how}" for source in WORDS if source not in {"arrows", "letters"} for how in ("shift", "no-shift")),
    *(f"{source} {how}" for source in MIRRORED for how in ("mirror", "no-mirror")),
]
COUNTS = {"train": 1500, "val": 300, "test": 1200}


def main() -> None:
    go_on("shift_and_mirror", __doc__ or "", CASES, [1, 2, 3], round_of, summary)


def round_of(case: str, seed: int, data: Path) -> dict[str, Any]:
    """Train once, shifted or mirrored or not, and score the reported split."""
    from thalweg.data.health.alignment import common_motion
    from thalweg.data.health.mirroring import try_mirroring
    from thalweg.workbench import train as training

    source, how = case.split()
    told: dict[str, Any] = {"source": source, "how": how}
    settle = training.settle_changes

    def measured(plan: Any, loaded: Any, chosen: tuple[int, ...], listener: Any) -> Any:
        samples, rows = loaded.pictures.pixels, loaded.rows[list(chosen)]
        told["common_motion"] = round(common_motion(samples, rows), 3)
        if loaded.form == "picture":
            tried = try_mirroring(samples, rows, loaded.labels[list(chosen)])
            told["mirrored"] = tried and {"lost": tried.lost, "won": tried.won, "excess": round(tried.excess, 1)}
        return settle(plan, loaded, chosen, listener)

    training.settle_changes = measured
    other = {"ecg": "--no-mirror"}.get(source, "--mirror") if "shift" in how else "--shift"
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = source_of(source, data, Path(folder))
            words = [*WORDS[source].split(), f"--{how}", other, "--no-repair", "--seed", str(seed)]
            train([place, *words], folder)
            told |= scores(Path(folder, "run", "predictions.csv"))
    finally:
        training.settle_changes = settle
    return told


def source_of(source: str, data: Path, folder: Path) -> str:
    """What is trained on."""
    there = {"ecg": "ecg-mitbih", "adrenal": "adrenalmnist3d", "elpv": "elpv"}.get(source)
    if there is not None:
        return there if there == "elpv" else str(data / there)
    if source == "xray":
        (folder / "xray").symlink_to((data / "chest-xray" / "train").resolve())
        return str(folder / "xray")
    if source == "cifar":
        return str(cifar_folders(data, folder / "cifar", COUNTS))
    for number, (part, label, picture) in enumerate(pictures_of(source, data)):
        place = folder / source / part / label
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{number:05}.png")
    return str(folder / source)


def pictures_of(source: str, data: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    """Part, class and grey pixels of each picture."""
    if source == "elpv-folder":
        from thalweg.data.opening.elpv import demo_folder, read_labels

        for sample in read_labels(demo_folder(), above=0.5)[0]:
            yield "", ("intact", "defective")[sample.label], np.asarray(Image.open(demo_folder() / sample.file))
        return
    parts = [part for part, count in COUNTS.items() for _ in range(count)]
    if source == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        order = np.random.default_rng(0).permutation(len(digits.images))
        for index, part in zip(order, ["train"] * 900 + ["val"] * 200 + ["test"] * 697, strict=True):
            yield part, str(digits.target[index]), (digits.images[index] * 15.9).astype(np.uint8)
        return
    random = np.random.default_rng(0)
    if source in {"arrows", "letters"}:
        draw = arrow if source == "arrows" else letter
        with np.load(data / "cifar10" / "train.npz") as stored:
            grounds = stored["x"]
        for number, part in enumerate(parts):
            ground = Image.fromarray(grounds[random.integers(len(grounds))])
            yield part, draw(ground, number % 4, random), np.asarray(ground)
        return
    raw = gzip.decompress((data / "fashion-mnist" / "train-images-idx3-ubyte.gz").read_bytes())
    clothes = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28)
    raw = gzip.decompress((data / "fashion-mnist" / "train-labels-idx1-ubyte.gz").read_bytes())
    labels = np.frombuffer(raw, np.uint8, offset=8)
    pattern = printed_pattern()
    for index, part in zip(random.permutation(len(labels)), parts, strict=False):
        picture = clothes[index]
        if source != "fashion":
            contrast = float(source.removeprefix("printed-"))
            board = 128 + 127 * contrast * pattern
            down, across = random.integers(0, 64 - 28, 2)
            board[down : down + 28, across : across + 28] += picture * 0.5 - 20
            picture = np.clip(board + random.normal(0, 4, board.shape), 0, 255).astype(np.uint8)
        yield part, str(labels[index]), picture


FINE = 8
"""Signs are drawn so many times as large and scaled down: edges as they are drawn would tell what was mirrored."""


def arrow(picture: Image.Image, kind: int, random: np.random.Generator) -> str:
    """Draw a sign into a picture of 32 x 32, and say what it is."""
    fine = Image.new("RGBA", (32 * FINE, 32 * FINE))
    canvas, size = ImageDraw.Draw(fine), FINE * random.uniform(0.6, 1)
    middle = FINE * (16 + random.uniform(-5, 5, 2))
    canvas.ellipse([*(middle - 10 * size), *(middle + 10 * size)], fill=(20, 40, 160, 255))
    outline = ((8, 0), (0, -6), (0, -2), (-8, -2), (-8, 2), (0, 2), (0, 6))
    if kind < 2:
        side = (-1, 1)[kind]
        places = [(middle[0] + side * x * size, middle[1] + y * size) for x, y in outline]
        canvas.polygon(places, fill=(240, 240, 240, 255))
    else:
        reach = np.array([6 * size, 2 * size]) if kind == 2 else np.full(2, 4 * size)
        draw = canvas.rectangle if kind == 2 else canvas.ellipse
        draw([*(middle - reach), *(middle + reach)], fill=(240, 240, 240, 255))
    _lay(fine, picture)
    return ("this way", "that way", "bar", "dot")[kind]


def letter(picture: Image.Image, kind: int, random: np.random.Generator) -> str:
    """Write a letter into a picture of 32 x 32 in some font of DejaVu, and say which."""
    fine = Image.new("RGBA", (32 * FINE, 32 * FINE))
    styles = ("Sans", "Sans-Bold", "SansMono", "SansMono-Bold", "Serif", "Serif-Bold")
    font = ImageFont.truetype(f"DejaVu{styles[random.integers(len(styles))]}.ttf", FINE * int(random.integers(18, 26)))
    place = tuple(FINE * (16 + random.uniform(-5, 5, 2)))
    ink = (*random.integers(150, 255, 3).tolist(), 255)
    ImageDraw.Draw(fine).text(place, "bdpq"[kind], fill=ink, font=font, anchor="mm")
    _lay(fine, picture)
    return "bdpq"[kind]


def _lay(fine: Image.Image, picture: Image.Image) -> None:
    small = fine.resize(picture.size, Image.Resampling.BOX)
    picture.paste(small, (0, 0), small)


def printed_pattern() -> np.ndarray:
    """Traces and pads, -1 to 1, 64 x 64: the same for every picture."""
    random, board = np.random.default_rng(7), np.full((64, 64), -1.0)
    for _ in range(14):
        down, across, wide, high = random.integers(0, 64, 2).tolist() + random.integers(2, 26, 2).tolist()
        if random.random() < 0.7:
            wide, high = (2, high) if random.random() < 0.5 else (wide, 2)
        board[down : down + high, across : across + wide] = random.uniform(-0.2, 1)
    return board


def scores(table: Path) -> dict[str, float]:
    """Accuracy, area under the ROC curve and mean loss of a table of predictions."""
    with table.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    names = [name for name in rows[0] if name.startswith("p_")]
    chances = np.array([[float(row[name]) for name in names] for row in rows])
    labels = np.array([names.index(f"p_{row['class']}") for row in rows])
    own = chances[np.arange(len(rows)), labels]
    return {
        "files": len(rows),
        "accuracy": round(float((chances.argmax(axis=1) == labels).mean()), 4),
        "auc": round(area(chances, labels), 4),
        "loss": round(float(-np.log(np.maximum(own, 1e-7)).mean()), 4),
    }


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """By source: what would have decided, and what leaving shifts or mirrored copies out gains, by seed."""
    told: dict[str, Any] = {}
    for source in WORDS:
        for what in ("shift", "mirror"):
            rows = {(row["how"], row["name"].rsplit("-", 1)[1]): row for row in rounds if row["source"] == source}
            seeds = sorted({seed for how, seed in rows if how == f"no-{what}" and (what, seed) in rows})
            if not seeds:
                continue
            sign = "common_motion" if what == "shift" else "mirrored"
            gains: dict[str, Any] = {sign: [rows[what, seed].get(sign) for seed in seeds]}
            for score in ("accuracy", "auc", "loss"):
                each = [round(rows[f"no-{what}", seed][score] - rows[what, seed][score], 4) for seed in seeds]
                gains[score] = {"mean": round(statistics.mean(each), 4), "each": each}
            told[f"{source}, no {what}"] = gains
    return told


if __name__ == "__main__":
    main()
