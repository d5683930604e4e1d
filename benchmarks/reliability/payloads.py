"""Files that would run code if they could, one for each way in; none may.

Every payload tries to make a file, by whatever its format offers: a pickle that names a function, a YAML tag, an array
of objects, a description that names Python, a picture that is a program. It is given to the verb that reads such files.
Whether that verb refuses or uses the file is its own business; the file that the payload would make must not be there.

    python benchmarks/reliability/payloads.py --out benchmarks/results/reliability/payloads.json
"""

# Long because every way in stands here once, with the file that tries it.

import base64
import contextlib
import io
import json
import os
import pickle
import shutil
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from outcome import Case, make_photos, report

Work = Callable[[], object]


class Calls:
    """Pickles into a call of a function."""

    def __init__(self, function: Any, *words: Any) -> None:
        self.function, self.words = function, words

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.words


def by_name(module: str, name: str, *words: str) -> bytes:
    """A pickle, written by hand, that calls what cannot be imported here or hides behind another name."""
    arguments = b"".join(b"V" + word.encode("raw_unicode_escape") + b"\n" for word in words)
    return f"c{module}\n{name}\n(".encode() + arguments + b"tR."


def pickles(mark: Path) -> Iterator[tuple[str, bytes]]:
    """Pickles that would make the file."""
    command, code = f"touch {mark}", f"open({str(mark)!r}, 'w').close()"
    yield "os.system", pickle.dumps({"w": Calls(os.system, command)}, 2)
    yield "eval", pickle.dumps({"w": Calls(eval, code)}, 2)  # noqa: S307 - named, not called
    yield "exec", pickle.dumps({"w": Calls(exec, code)}, 2)
    yield "open", pickle.dumps({"w": Calls(open, str(mark), "w")}, 2)
    yield "subprocess", by_name("subprocess", "getoutput", command)
    yield "os.system, old protocol", by_name("os", "system", command)
    yield "__builtin__.eval of Python 2", by_name("__builtin__", "eval", code)
    yield "torch's own gadget", by_name("torch.serialization", "os.system", command)
    yield "a name within a name", b"\x80\x04" + b"\x8c\x08builtins\x8c\x04eval\x93" + _short(code) + b"\x85R."
    yield "a class built and given state", by_name("runpy", "run_path", str(mark.with_suffix(".py")))


def _short(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def torch_zip(data: bytes) -> bytes:
    """The zip that torch.save writes, with another pickle inside."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        box.writestr("archive/data.pkl", data)
        box.writestr("archive/version", "3\n")
        box.writestr("archive/byteorder", "little")
    return out.getvalue()


def weights(folder: Path, mark: Path) -> Iterator[tuple[str, Work]]:
    """Files of weights."""
    from thalweg.pretrained.tensors import read_tensors

    def reading(name: str, data: bytes) -> Work:
        def read() -> object:
            (folder / name).write_bytes(data)
            return read_tensors(folder / name)

        return read

    for number, (what, data) in enumerate(pickles(mark)):
        yield f".pth: {what}", reading(f"{number}.pth", torch_zip(data))
    for number, (what, data) in enumerate(pickles(mark)):
        if number < 3:
            yield f".pth without a zip: {what}", reading(f"plain-{number}.pth", data)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        box.writestr("s/code/__torch__.py", f"import os\nos.system('touch {mark}')\n")
        box.writestr("s/constants.pkl", next(pickles(mark))[1])
        box.writestr("s/data.pkl", next(pickles(mark))[1])
        box.writestr("s/version", "3\n")
    yield "a TorchScript program", reading("script.pt", out.getvalue())
    hidden = base64.b64encode(next(pickles(mark))[1]).decode()
    header = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": {"pickle": hidden}}
    for what, table in (
        ("pickle in the metadata", header),
        ("offsets outside the file", {"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}),
        ("a type that is a name", {"w": {"dtype": "os.system", "shape": [1], "data_offsets": [0, 4]}}),
    ):
        text = json.dumps(table).encode()
        yield f".safetensors: {what}", reading("a.safetensors", struct.pack("<Q", len(text)) + text + bytes(4))
    yield ".safetensors: a pickle under its name", reading("b.safetensors", next(pickles(mark))[1])


def sources(folder: Path, mark: Path) -> Iterator[tuple[str, Work]]:
    """What `check` and `train` read."""
    import numpy as np

    import thalweg

    objects = np.empty(2, object)
    objects[:] = [Calls(os.system, f"touch {mark}")] * 2

    def checking(path: Path) -> Work:
        return lambda: thalweg.check(path)

    np.savez(folder / "objects.npz", x=objects, y=np.arange(2))
    yield ".npz of objects", checking(folder / "objects.npz")
    np.savez(folder / "labels.npz", x=np.zeros((2, 8, 8), np.uint8), y=objects)
    yield ".npz whose labels are objects", checking(folder / "labels.npz")
    for name in ("a", "b"):
        (folder / "arrays" / name).mkdir(parents=True)
        np.save(folder / "arrays" / name / "1.npy", objects, allow_pickle=True)
    yield "folders of .npy of objects", checking(folder / "arrays")
    (folder / "cifar").mkdir()
    (folder / "cifar" / "data_batch_1").write_bytes(next(pickles(mark))[1])
    yield "a batch of CIFAR", checking(folder / "cifar")
    shown = make_photos(folder / "programs", count=2)
    programs = {
        "a.eps": f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({mark}) (w) file closefile\n".encode(),
        "b.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("http://127.0.0.1/")</script></svg>',
        "c.mvg": f"push graphic-context\nimage over 0,0 0,0 'ephemeral:|touch {mark}'\n".encode(),
        "d.png": next(pickles(mark))[1],
    }
    for name, data in programs.items():
        (shown / "red" / name).write_bytes(data)
    yield "pictures that are programs", checking(shown)
    with zipfile.ZipFile(folder / "box.zip", "w") as box:
        for path in shown.rglob("*.png"):
            box.write(path, str(path.relative_to(shown)))
        for name in ("sitecustomize.py", "torch.py", "red/__init__.py", "conftest.py", ".git/hooks/post-checkout"):
            box.writestr(name, f"import os\nos.system('touch {mark}')\n")
    yield "programs in an archive", checking(folder / "box.zip")


def documents(folder: Path, mark: Path) -> Iterator[tuple[str, Work]]:
    """Descriptions, cases, logs."""
    import thalweg

    def written(name: str, text: str | bytes, work: Callable[[Path], object]) -> Work:
        def do() -> object:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            return work(path)

        return do

    tag = f'!!python/object/apply:os.system ["touch {mark}"]'
    new = f'!!python/object/new:os.system ["touch {mark}"]'
    yield "YAML tag in a network", written("n.yaml", f"layers: {tag}\n", thalweg.count)
    yield "YAML tag in a derivation", written("c.yaml", f"x: {new}\n", lambda path: thalweg.derive(str(path)))
    from thalweg.core.network_plain import spec_to_plain
    from thalweg.core.shape import Shape
    from thalweg.networks.catalogue import network as describe_network

    spec = spec_to_plain(describe_network("small", Shape(3, (32, 32)), 2))
    spec = json.loads(json.dumps(spec).replace('"conv2d"', f"\"__import__('os').system('touch {mark}')\""))
    yield "code for a layer's kind", written("n.json", json.dumps(spec), thalweg.count)
    inline = f"conv2d(__import__('os').system('touch {mark}'))"
    yield "code in an inline network", lambda: thalweg.count(inline, input="3x32x32")
    code = f"__import__('os').system('touch {mark}')"
    yield "code as a number to derive with", lambda: thalweg.derive("conv1d", x=f"[{code}, 1, 2]", f="[1, 2]")
    yield "a pickled history", written("history.pkl", next(pickles(mark))[1], thalweg.diagnose)
    yield "a pickle called .csv", written("log.csv", next(pickles(mark))[1], thalweg.diagnose)
    yield (
        "YAML tag in an MLflow folder",
        written("mlruns/0/r/meta.yaml", f"run_id: {tag}\n", lambda _: thalweg.diagnose(folder / "mlruns")),
    )


def runs(folder: Path, mark: Path) -> Iterator[tuple[str, Work]]:
    """A run folder that somebody sent."""
    import thalweg

    photos = make_photos(folder / "photos", count=8)
    run = folder / "run"
    thalweg.train(photos, network="small", epochs=1, image_size=32, batch_size=8, lr=0.01, out=run)

    def harmed(name: str, change: Callable[[bytes], bytes], work: Callable[[Path], object]) -> Work:
        def do() -> object:
            copy = folder / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(run, copy)
            path = next(copy.glob(name))
            path.write_bytes(change(path.read_bytes()))
            return work(copy)

        return do

    data = torch_zip(next(pickles(mark))[1])
    yield "a run's model", harmed("model.safetensors", lambda _: data, lambda run: thalweg.predict(run, photos))
    yield "a run's checkpoint", harmed("checkpoints/step-*", lambda _: data, thalweg.resume)
    yield (
        "a run's plan",
        harmed(
            "plan.toml",
            lambda text: text.replace(b'network = "', f"network = \"__import__('os').system('touch {mark}')".encode()),
            thalweg.evaluate,
        ),
    )
    yield (
        "a run's network",
        harmed(
            "network.json",
            lambda text: text.replace(b'"conv2d"', b'"os.system"'),
            lambda run: thalweg.predict(run, photos),
        ),
    )


def work(quick: bool) -> dict[str, object]:
    """Try every payload."""
    details: list[Case] = []
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder, mark = Path(name), Path(name, "executed")
        mark.with_suffix(".py").write_text(f"open({str(mark)!r}, 'w').close()", encoding="utf-8")
        ways = (weights, sources, documents) if quick else (weights, sources, documents, runs)
        for way in ways:
            place = folder / way.__name__
            place.mkdir()
            for what, load in way(place, mark):
                said = "used"
                try:
                    load()
                except Exception as error:  # noqa: BLE001 - refusing in any way is not running it
                    said = f"{type(error).__name__}: {error}".replace(name, "")[:160]
                clear = said == "used" or not said.startswith(("KeyError", "AttributeError", "IndexError", "TypeError"))
                ran = mark.exists()
                details.append({"payload": what, "said": said, "executed": ran, "held": not ran and clear})
                mark.unlink(missing_ok=True)
        armed = sum(_runs(data, mark) for _, data in pickles(mark))
    held = sum(case["held"] for case in details)
    return {"row": 19, "pickles_that_python_would_run": armed, "cases": len(details), "held": held, "details": details}


def _runs(data: bytes, mark: Path) -> bool:
    """Whether Python's own unpickler would run a payload: a payload that nothing runs would prove nothing."""
    with contextlib.suppress(Exception):
        made = pickle.loads(data)  # noqa: S301 - that is the question
        for each in made.values() if isinstance(made, dict) else ():
            getattr(each, "close", int)()
    ran = mark.exists()
    mark.unlink(missing_ok=True)
    return ran


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
