"""Would the tests notice? Sabotages of the code, one at a time, each in a copy; the suite must fail every time.

Each sabotage replaces a few words of one file of a copy of `src` by others: random state dropped, order lost on resume,
no flush to the disk, a limit taken away. Then the test file that guards the place runs against that copy, and must fail
with a failed test, not with an import that breaks. The tests that noticed then run against the unchanged package, and
must pass.

    python benchmarks/reliability/sabotage.py --out benchmarks/results/reliability/sabotage.json
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from outcome import Case, report

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One: what is dropped, where, and which tests must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str


SABOTAGES = (
    Sabotage(
        "dropout drawn from whatever random state there is",
        "training/loop.py",
        "seed = int(np.random.SeedSequence((recipe.seed, 3, state.step)).generate_state(1, np.uint64)[0])",
        "seed = torch.seed()",
        "tests/training/test_loop.py",
    ),
    Sabotage(
        "a resumed epoch begins with its first batch again",
        "data/batching/batches.py",
        "max(1, self.steps))))[first:]",
        "max(1, self.steps))))",
        "tests/training/test_loop.py",
    ),
    Sabotage(
        "every epoch has the same order",
        "data/batching/batches.py",
        "(self.seed, ORDER, epoch)",
        "(self.seed, ORDER)",
        "tests/data/batching/test_batches.py",
    ),
    Sabotage(
        "augmentation drawn without a seed",
        "data/batching/batches.py",
        "random = np.random.default_rng((self.seed, CHANGES, epoch, number))\n        block, rows =",
        "random = np.random.default_rng()\n        block, rows =",
        "tests/training/test_loop.py",
    ),
    Sabotage(
        "optimizer state not restored",
        "training/checkpointer.py",
        "        unpack_optimizer(self.module, self.optimizer, tensors)\n",
        "",
        "tests/training/test_loop.py",
    ),
    Sabotage(
        "the monitor's last batches not restored",
        "training/loop.py",
        "            show_again(self.companion, self.state, self.recipe, self.train, self.backward)\n",
        "            pass\n",
        "tests/reliability/test_checkpoints.py",
    ),
    Sabotage(
        "no fsync of the file",
        "core/files.py",
        "            yield file\n            file.flush()\n            os.fsync(file.fileno())\n",
        "            yield file\n",
        "tests/reliability/test_power_loss.py",
    ),
    Sabotage(
        "no fsync of the folder",
        "core/files.py",
        "            os.fsync(descriptor)\n",
        "            pass\n",
        "tests/reliability/test_power_loss.py",
    ),
    Sabotage(
        "a checkpoint's digest not compared",
        "training/checkpoint.py",
        'if metadata.get("digest") != _digest(tensors, text):',
        "if False:",
        "tests/training/test_checkpoint.py",
    ),
    Sabotage(
        "numbers that are not finite go into checkpoints",
        "training/checkpointer.py",
        "if value.is_floating_point() and not bool(value.isfinite().all()):",
        "if False:",
        "tests/training/test_loop.py",
    ),
    Sabotage(
        "foreign weights unpickled in full",
        "pretrained/tensors.py",
        'map_location="cpu", weights_only=True',
        'map_location="cpu", weights_only=False',
        "tests/pretrained/test_tensors.py",
    ),
    Sabotage(
        "archive members may lead outside",
        "data/opening/unpacking.py",
        'if parts and ".." not in parts else None',
        "if parts else None",
        "tests/data/opening/test_archive.py",
    ),
    Sabotage(
        "redirects into private networks followed",
        "data/opening/connection.py",
        "if not same and any(not address.is_global",
        "if False and any(not address.is_global",
        "tests/data/opening/test_connection.py",
    ),
    Sabotage(
        "pictures of any size unpacked",
        "data/decoding/decode.py",
        "    if width * height > limit:",
        "    if False:",
        "tests/data/decoding/test_decode.py",
    ),
    Sabotage(
        "EXIF orientation ignored",
        "data/decoding/decode.py",
        "return ImageOps.exif_transpose(image)",
        "return image",
        "tests/data/decoding/test_decode.py",
    ),
    Sabotage(
        "names go into pages as they are",
        "rendering/pages/html.py",
        "autoescape=True",
        "autoescape=False",
        "tests/rendering/pages/test_html.py",
    ),
    Sabotage(
        "the live page answers under any name",
        "dashboard/guard.py",
        'if not self._is_ours(headers.get("host", "")):',
        "if False:",
        "tests/dashboard/test_guard.py",
    ),
    Sabotage(
        "ranks keep their own batch's normalisation",
        "training/rank_layers.py",
        "        means, squares, counts = ranks.exchange(own).unbind(1)\n",
        "        means, squares, counts = own[None].unbind(1)\n",
        "tests/reliability/test_between_ranks.py",
    ),
    Sabotage(
        "each rank trains on the whole batch's first part",
        "training/ranks.py",
        "        return part_of(count, self.rank, self.size)\n",
        "        return part_of(count, 0, self.size)\n",
        "tests/reliability/test_ranks.py",
    ),
    Sabotage(
        "a step in pieces forgets how large they are",
        "training/backward.py",
        "            share = float(_weight(part)) / max(total, 1.0)\n",
        "            share = 1.0\n",
        "tests/reliability/test_ranks.py",
    ),
)
QUICK = ("redirects into private networks followed", "archive members may lead outside")


def run_tests(source: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run test files against a copy of the package; give the exit status and the last line."""
    environment = os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return done.returncode, (failed or done.stdout.splitlines() or [""])[-1]


def try_one(each: Sabotage) -> Case:
    """Sabotage a copy; run the tests that must notice."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "src")
        shutil.copytree(REPOSITORY / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        path = source / "thalweg" / each.file
        text = path.read_text(encoding="utf-8")
        if text.count(each.old) != 1:
            return {"name": each.name, "tests": each.tests, "said": "its words are not in the file once", "held": False}
        path.write_text(text.replace(each.old, each.new), encoding="utf-8")
        status, line = run_tests(source, (each.tests,))
    noticed = status == 1 and line.startswith("FAILED")
    seconds = round(time.perf_counter() - started, 1)
    return {"name": each.name, "tests": each.tests, "said": line[:300], "seconds": seconds, "held": noticed}


def confirmed(details: list[Case]) -> list[Case]:
    """Let the tests that noticed run against the unchanged package: one that fails there too has noticed nothing."""
    found = {case["said"].removeprefix("FAILED ").partition(" - ")[0] for case in details if case["held"]}
    status, line = run_tests(REPOSITORY / "src", tuple(sorted(found)))
    passed = status == 0
    return [
        case | {"held": case["held"] and passed, "unchanged": "passes" if passed else line[:200]} for case in details
    ]


def work(quick: bool) -> dict[str, object]:
    """Every sabotage, then the tests that noticed on the unchanged package."""
    details = confirmed([try_one(each) for each in SABOTAGES if not quick or each.name in QUICK])
    return {"row": 24, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
