"""Damaged files and words of every kind that is read: an answer or one sentence, no crash, no hang, no stray error.

For every reader a few sound originals are made or taken from benchmarks/log_samples, changed at random (bytes, and for
text also words, numbers, brackets and lines), and given to the verb or function that users meet. A target runs in a
process of its own, with at most 1.5 GiB of memory more than it began with. What breaks the promise: a signal, more than
10 s of the processor or 60 s for one input, an error that is none of thalweg's, one of several lines, or a file outside
the working folder.
Pictures have a script of their own (`mutated.py`).

    python benchmarks/reliability/fuzz.py --minutes 10 --out benchmarks/results/reliability/fuzz.json

Minutes are the processor's: on a machine that others use it takes longer, and as much is tried. Three hours; `--only
plans,histories` takes some readers, `--keep FOLDER` a folder where each leaves what it found, so that two calls can
work side by side, and one that was stopped goes on with the next reader. `--first 1000000` begins with another number:
what is changed, and how, follows from the number alone.

What was found and mended is kept as cases in tests/reliability/test_fuzz.py.
"""

# Long because: nineteen readers stand side by side, each with its originals and its use.
import io
import json
import os
import random
import shutil
import signal
import string
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from children import in_child, limit_memory
from outcome import Case, cache_in, make_photos, report

SAMPLES = Path(__file__).resolve().parents[1] / "log_samples"
MEMORY_BYTES = 1536 << 20
SECONDS, HANGS = 10, 60
QUICK = 25


def option(name: str, default: str) -> str:
    """Take an option of this script's own from the command line, before the common ones are read."""
    if name not in sys.argv:
        return default
    place = sys.argv.index(name)
    value = sys.argv[place + 1]
    del sys.argv[place : place + 2]
    return value


MINUTES = float(option("--minutes", "10"))
ONLY = set(filter(None, option("--only", "").split(",")))
KEEP = Path(option("--keep", "")) if "--keep" in sys.argv else None
FIRST = int(option("--first", "0"))
WORDS = [
    "nan", "inf", "-inf", "1e400", "-1", "0", "1e-320", "99999999999999999999", "0x10", "1_000", "true", "null", "None",
    "", " ", ",", ";", "\t", "'", '"', "[[[[", "]]", "{", "}", "(", "))", ":", "#", "&a", "*a",
    "!!python/object:os.system",
    "\x00", "\r", "\u202e", "\ufeff", "۱۲۳", "é",
    "epoch", "loss", "val_loss", "step", "../../etc/passwd", "/", "=", "%s", "{0}",
]  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A reader: sound originals, whether they are text, and what is done with a changed one in an empty folder."""

    name: str
    originals: Callable[[], list[tuple[str, bytes]]]
    use: Callable[[Path], object]
    text: bool = True


# Originals ----------------------------------------------------------------------------------------------------------


def logs(*endings: str) -> Callable[[], list[tuple[str, bytes]]]:
    """Samples written by the libraries themselves, with the names they have."""

    def found() -> list[tuple[str, bytes]]:
        paths = [path for path in sorted(SAMPLES.rglob("*")) if path.is_file() and path.name != "truth.json"]
        chosen = [
            path for path in paths if path.name.endswith(endings) or any(f"{each}." in path.name for each in endings)
        ]
        return [
            (path.name, path.read_bytes())
            for path in chosen
            if path.stat().st_size < 200_000 and path.name != "VERSIONS.json"
        ]

    return found


def specs(form: str) -> Callable[[], list[tuple[str, bytes]]]:
    def made() -> list[tuple[str, bytes]]:
        import thalweg

        texts = [str(thalweg.draw(name, format=form).drawing) for name in ("lenet", "small", "inception")]
        return [(f"net.{form}", text.encode()) for text in texts]

    return made


def pictures(folder: Path) -> Path:
    return make_photos(folder, count=2, side=8)


def archives() -> list[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as place:
        photos = pictures(Path(place, "photos"))
        made = [shutil.make_archive(str(Path(place, "a")), form, photos) for form in ("zip", "tar", "gztar", "bztar")]
        return [(Path(each).name, Path(each).read_bytes()) for each in made]


def arrays() -> list[tuple[str, bytes]]:
    import numpy as np

    x, y = np.arange(240, dtype=np.float32).reshape(6, 2, 20), np.array([0, 1, 0, 1, 0, 1])
    found = []
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, x=x, y=y)
        found.append(("data.npz", out.getvalue()))
    return found


def tables() -> list[tuple[str, bytes]]:
    lines = [",".join(f"{(row * 7 + column) % 11 / 3:.3f}" for column in range(12)) + f",{row % 2}" for row in range(8)]
    return [
        ("data.csv", "\n".join(lines).encode()),
        ("data.csv", ("a,b,c,label\n" + "\n".join(["1,2,3,x", "3,4,5,y"] * 4)).encode()),
    ]


def sounds() -> list[tuple[str, bytes]]:
    import wave

    found = []
    for width in (1, 2):
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(width)
            file.setframerate(100)
            file.writeframes(bytes(range(256)) * width)
        found.append(("sound.wav", out.getvalue()))
    return found


def weights() -> list[tuple[str, bytes]]:
    import torch
    from safetensors.torch import save

    tensors = {"a.weight": torch.ones(3, 2), "a.bias": torch.zeros(3)}
    out = io.BytesIO()
    torch.save(tensors, out)
    return [("w.safetensors", save(tensors)), ("w.pth", out.getvalue())]


def plans() -> list[tuple[str, bytes]]:
    from thalweg.core.plan import TrainingPlan

    return [("plan.toml", TrainingPlan(source="photos", epochs=3, test=0.2, stages=(0.5, 1.0)).to_toml().encode())]


ANSWERS = [
    "f1*x1 + 2*f2, 3/4\nx1 - f4 (x2 + 1), -1",
    "[[c1*f1, c*f2], [0, 1]]",
    '{"dx": [["f1", "2"], ["f3", "f1+f2"]]}',
]
CASES = [
    "kind: conv2d\nx: 3x3\nf: [[1, 0], [0, -1]]\nstride: 1\npadding: 0\nhead: mean\n",
    '{"kind": "conv1d", "x": 5, "f": [1, -1]}',
]
LINES = [
    "conv2d(8,3) relu maxpool2d(2) flatten dense(5)",
    "Conv2d(16, 3, padding=same, stride=(2,1)) batch_norm relu6 global_avg_pool",
]
PRINTED = [
    "".join(
        f"Epoch: [{epoch}][{batch}/3]\tTime 0.5 (0.5)\tLoss {2.3 - epoch / 4 - batch / 9:.4e} (2e+00)\tAcc@1 41 (40)\n"
        for epoch in range(3)
        for batch in range(3)
    )
    + "Test: [0/2]\tLoss 1.91 (1.91)\n * Acc@1 44.1 Acc@5 90.2\n",
    "".join(f"iter {250 * n}: train loss {4 - n / 5:.3f}, val loss {4 - n / 6:.3f}, lr 3e-4\n" for n in range(8)),
    "".join(
        f"2026-01-02 03:04:05,006 INFO [Train][Epoch {n}/8][Iter: 10/20] loss: {2 / n:.3f}, top1: 0.5{n}, eta: 1:02\n"
        f"[Eval][Epoch {n}] loss: {2.2 / n:.3f}, top1: 0.4{n}\n"
        for n in range(1, 9)
    ),
    "".join(
        f"Epoch {n}/5\n\x1b[1m20/20\x1b[0m \x1b[32m====\x1b[0m 1s 9ms/step - accuracy: 0.5{n} - loss: {1 / n:.2f} "
        f"- val_loss: {1.1 / n:.2f}\r\n"
        for n in range(1, 6)
    ),
]
CLASSES = ["name,r,g,b\nsky,128,128,128\nroad,128,64,128\nvoid,0,0,0\n", "sky 128 128 128\nroad 128 64 128\n"]
PARTS = ["file,part\nplain/000.png,train\nplain/001.png,validation\nred/000.png,train\nred/001.png,validation\n"]
EPOCHS = [
    "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second\n1,.7,.5,.6,.6,.01,2,30\n"
]


def texts(name: str, *contents: str) -> Callable[[], list[tuple[str, bytes]]]:
    return lambda: [(name, content.encode()) for content in contents]


# What is done with them ---------------------------------------------------------------------------------------------


def diagnosed(path: Path) -> object:
    import thalweg

    return thalweg.diagnose(path)


def counted(path: Path) -> object:
    import thalweg

    return thalweg.count(path)


def checked(path: Path) -> object:
    import thalweg

    return thalweg.check(path)


def heard(path: Path) -> object:
    """One damaged recording among sound ones."""
    source = path.parent / "sounds"
    for name in ("a", "b"):
        (source / name).mkdir(parents=True)
        for number in range(2):
            (source / name / f"{number}.wav").write_bytes(sounds()[1][1])
    shutil.copy(path, source / "a" / "2.wav")
    return checked(source)


def weighed(path: Path) -> object:
    from thalweg.pretrained.tensors import read_tensors

    return read_tensors(path)


def planned(path: Path) -> object:
    from thalweg.core.plan import TrainingPlan

    return TrainingPlan.from_toml(path.read_bytes().decode("utf-8", "replace"))


def written(path: Path) -> object:
    from thalweg.core.shape import Shape
    from thalweg.networks.inline import inline_network

    return inline_network(path.read_bytes().decode("utf-8", "replace"), Shape(3, (32, 32)))


def answered(path: Path) -> object:
    import thalweg

    return thalweg.derive("conv2d", x="3x3", f="2x2", head="c*sum", check=str(path))


def derived(path: Path) -> object:
    import thalweg

    return thalweg.derive(str(path))


def divided(path: Path) -> object:
    import thalweg
    from thalweg.core.dataset import Sample
    from thalweg.data.splitting.split import read_split_file

    del thalweg
    names = [(f"{name}/{number:03d}.png", label) for label, name in enumerate(("plain", "red")) for number in range(2)]
    return read_split_file(path, [Sample(*each) for each in names])


def coloured(path: Path) -> object:
    from thalweg.data.masks.classes import find_table

    shutil.copy(path, path.parent / "classes.csv") if path.name != "classes.csv" else None
    return find_table(path.parent)


def remembered(path: Path) -> object:
    from thalweg.core.history import epochs_from_csv

    return epochs_from_csv(path.read_bytes().decode("utf-8", "replace"), "history.csv")


TARGETS = (
    Target("logs: tables", logs(".csv"), diagnosed),
    Target("logs: JSON", logs(".json", ".jsonl"), diagnosed),
    Target("logs: lines", texts("train.log", *PRINTED), diagnosed),
    Target("logs: TensorBoard", logs("tfevents"), diagnosed, text=False),
    Target("logs: databases", logs(".db"), diagnosed, text=False),
    Target("networks: JSON", specs("json"), counted),
    Target("networks: YAML", specs("yaml"), counted),
    Target("networks: a line", texts("line.txt", *LINES), written),
    Target("arrays", arrays, checked, text=False),
    Target("tables of signals", tables, checked),
    Target("recordings", sounds, heard, text=False),
    Target("archives", archives, checked, text=False),
    Target("weights", weights, weighed, text=False),
    Target("plans", plans, planned),
    Target("histories", texts("history.csv", *EPOCHS), remembered),
    Target("splits", texts("split.csv", *PARTS), divided),
    Target("classes of masks", texts("classes.csv", *CLASSES), coloured),
    Target("answers of students", texts("answer.txt", *ANSWERS), answered),
    Target("cases to derive", texts("case.yaml", *CASES), derived),
)


# Changing -----------------------------------------------------------------------------------------------------------


def changed(rng: random.Random, data: bytes, *, text: bool) -> bytes:  # noqa: C901 - a way a line
    """One to eight changes at random places."""
    held = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        place = rng.randrange(len(held) + 1)
        way = rng.randrange(11 if text else 7)
        if way == 0 and place < len(held):
            held[place] = rng.randrange(256)
        elif way == 1 and place < len(held):
            held[place] ^= 1 << rng.randrange(8)
        elif way == 2:
            del held[place : place + rng.randrange(1, 40)]
        elif way == 3:
            held[place:place] = held[place : place + rng.randrange(1, 200)]
        elif way == 4:
            held[place : place + 4] = rng.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(4)))
        elif way == 5:
            del held[place:]
        elif way == 6:
            other = bytes(held[(cut := rng.randrange(len(held) + 1)) : cut + rng.randrange(1, 100)])
            held[place : place + len(other)] = other
        elif way == 7:
            held[place:place] = rng.choice(WORDS).encode()
        elif way == 8:
            held = bytearray(with_another_number(rng, bytes(held)))
        elif way == 9:
            lines = bytes(held).split(b"\n")
            rng.shuffle(lines)
            held = bytearray(b"\n".join(lines))
        else:
            held[place:place] = rng.choice((b"[", b"(", b"{", b"9", b"-", b"a")) * rng.choice((3, 50, 3000))
    return bytes(held)


def with_another_number(rng: random.Random, data: bytes) -> bytes:
    """Put an odd word in place of one of the numbers."""
    starts = [place for place, byte in enumerate(data) if chr(byte) in string.digits]
    if not starts:
        return data
    begin = end = rng.choice(starts)
    while end < len(data) and chr(data[end]) in string.digits + ".e":
        end += 1
    return data[:begin] + rng.choice(WORDS).encode() + data[end:]


def inputs(target: Target, originals: list[tuple[str, bytes]], seed: int) -> Iterator[tuple[int, str, bytes]]:
    """Changed originals without end; each follows from its number alone."""
    number = seed
    while True:
        rng = random.Random(f"{target.name} {number}")
        name, data = rng.choice(originals)
        yield number, name, changed(rng, data, text=target.text)
        number += 1


# Trying -------------------------------------------------------------------------------------------------------------


class TooSlowError(BaseException):
    """Raised by the alarm."""


def too_slow(*_: object) -> None:
    raise TooSlowError(f"more than {SECONDS} s of the processor, or {HANGS} s")


def tried(target: Target, name: str, data: bytes) -> str:
    """Use one input in an empty folder; empty for an answer, the first word `refused`, or what was wrong."""
    from thalweg.core.errors import ThalwegError

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "here")
        folder.mkdir()
        path = folder / name
        path.write_bytes(data)
        signal.signal(signal.SIGALRM, too_slow)
        signal.signal(signal.SIGPROF, too_slow)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of the processor: what else the machine does is no fault
        signal.alarm(HANGS)
        try:
            with cache_in(folder / "cache"):
                target.use(path)
            said = ""
        except ThalwegError as error:
            said = "refused" if str(error) and "\n" not in str(error) else f"no sentence: {str(error)[:200]!r}"
        except BaseException as error:  # noqa: BLE001 - any other error is what is looked for
            said = f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
        if len(list(Path(place).iterdir())) > 1:
            return "something was written outside its folder"
        return said


def series(target: Target, count: int, minutes: float, told: Path) -> None:
    """Try inputs until there were enough, or minutes are over; the one under way is kept, for a process that dies."""
    originals = target.originals()
    begun, done, refused, broken = time.monotonic(), 0, 0, []
    slowest = 0.0
    for number, name, data in inputs(target, originals, FIRST):
        enough = done >= count if count else sum(os.times()[:4]) > 60 * minutes
        if enough or len(broken) >= 20:
            break
        started = time.monotonic()
        told.write_text(json.dumps({"tried": done, "refused": refused, "broken": broken, "under_way": number}))
        said = tried(target, name, data)
        done, refused = done + 1, refused + (said == "refused")
        if said not in {"", "refused"}:
            broken.append({"number": number, "said": said})
        slowest = max(slowest, time.monotonic() - started)
    found = {"tried": done, "refused": refused, "broken": broken, "slowest_seconds": round(slowest, 2)}
    found["minutes"] = round((time.monotonic() - begun) / 60, 2)
    found["processor_minutes"] = round(sum(os.times()[:4]) / 60, 2)
    told.write_text(json.dumps(found))


def note(target: Target) -> Path:
    """Where what a target found is kept."""
    return (KEEP or Path()) / f"{target.name.replace(': ', '-').replace(' ', '-')}.json"


def kept(target: Target) -> Case | None:
    """What an earlier call found with the same minutes, where it was told to keep it."""
    path = note(target) if KEEP else None
    found: Case = json.loads(path.read_text()) if path and path.exists() else {}
    return found if found.get("asked_minutes") == MINUTES else None


def in_process(target: Target, count: int, minutes: float) -> Case:
    """Try a target in a process of its own, with bounded memory."""
    with tempfile.TemporaryDirectory() as place:
        told = Path(place, "told.json")

        def work() -> None:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            limit_memory(MEMORY_BYTES)
            series(target, count, minutes, told)

        status = in_child(work)
        found: dict[str, Any] = json.loads(told.read_text()) if told.exists() else {}
    held = status == 0 and found.get("tried", 0) > 0 and not found["broken"]
    case = {"target": target.name, "exit_status": status, **found, "held": held}
    if KEEP and not count:
        KEEP.mkdir(parents=True, exist_ok=True)
        note(target).write_text(json.dumps({**case, "asked_minutes": minutes}))
    return case


def work(quick: bool) -> dict[str, object]:
    """Try all targets."""
    import torch  # noqa: F401 - loaded once, before the processes are made

    import thalweg.workbench.diagnose  # noqa: F401

    details = [
        (None if quick else kept(target)) or in_process(target, QUICK if quick else 0, MINUTES)
        for target in TARGETS
        if not ONLY or target.name in ONLY
    ]
    return {
        "promise": "an answer or one sentence, within 10 s of the processor and 1.5 GiB, nothing written elsewhere",
        "minutes_a_target": None if quick else MINUTES,
        "inputs": sum(int(case.get("tried", 0)) for case in details),
        "cases": len(details),
        "held": sum(bool(case["held"]) for case in details),
        "details": details,
    }


if __name__ == "__main__":
    raise SystemExit(report(__doc__ or "", work))
