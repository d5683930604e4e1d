"""Two machines with two ranks each, of which one is lost or cut off: namespaces of one Linux machine play them.

Each machine has a network, a name and a cache of its own; the disk is shared. Launchers are started as the example
files do it: torchrun with its own rendezvous on the first machine, begun anew when it fails, `resume` where there is a
run to go on with. Claim: the run ends, and weights, curves and predictions are those of the run that nobody disturbed,
to the bit; what is lost is told in a line.

    python benchmarks/reliability/two_machines.py --out benchmarks/results/reliability/two_machines.json

Needs Linux, `ip` and the rights of root. Cases that the result file holds are not run again; `--most 2` runs two more.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kill import differences, traces
from outcome import Case, machine, make_photos

IP = shutil.which("ip") or "/usr/sbin/ip"
MACHINES = {"a": "10.77.0.1", "b": "10.77.0.2"}
PORT = 29611
EPOCHS, AT_STEP = 40, 110
OPTIONS = ("--network", "plain", "--image-size", "32", "--batch-size", "8", "--epochs", str(EPOCHS), "--lr", "0.003",
           "--split", "60/20/20", "--quiet")  # fmt: skip
CASES: tuple[Case, ...] = (
    {"case": "undisturbed"},
    {"case": "lost, back after 1 s", "lost": "b", "away": 1},
    {"case": "lost, back after 30 s", "lost": "b", "away": 30},
    {"case": "lost with the rendezvous, back after 1 s", "lost": "a", "away": 1},
    {"case": "cable out for 15 s", "cable": 15},
    {"case": "cable out for good", "cable": None},
)
PATIENCE = 900.0
LAUNCH = """
hostname {name}
mount --bind {hosts} /etc/hosts
for attempt in 1 2 3 4 5; do
    if [ -f {run}/plan.toml ]; then words="resume {run} --quiet"; else words={begin}; fi
    {python} -m torch.distributed.run --nnodes 2 --nproc-per-node 2 --max-restarts 3 --rdzv-id 1 \
        --rdzv-backend c10d --rdzv-endpoint machine-a:{port} -m thalweg $words && exit 0
    echo "launcher {name} failed $attempt times"
    sleep 2
done
exit 1
"""


@contextmanager
def network(folder: Path) -> Iterator[None]:
    """Two namespaces with a cable between them."""
    take_down()
    for name in MACHINES:
        ip("netns", "add", space(name))
    ip("link", "add", "tw-a", "type", "veth", "peer", "name", "tw-b")
    for name, address in MACHINES.items():
        ip("link", "set", f"tw-{name}", "netns", space(name))
        ip("-n", space(name), "addr", "add", f"{address}/24", "dev", f"tw-{name}")
        for device in ("lo", f"tw-{name}"):
            ip("-n", space(name), "link", "set", device, "up")
    names = [f"{address} machine-{name}" for name, address in MACHINES.items()]
    (folder / "hosts").write_text("\n".join(["127.0.0.1 localhost", *names, ""]))
    try:
        yield
    finally:
        take_down()


def take_down() -> None:
    """No process and no namespace is left."""
    for name in MACHINES:
        lose(name)
        subprocess.run([IP, "netns", "del", space(name)], capture_output=True, check=False)


def ip(*words: str) -> None:
    """Change the network."""
    subprocess.run([IP, *words], check=True, capture_output=True, text=True)


def space(name: str) -> str:
    """What a machine's namespace is called."""
    return f"thalweg-{name}"


def lose(name: str) -> None:
    """Kill all that runs on a machine."""
    found = subprocess.run([IP, "netns", "pids", space(name)], capture_output=True, text=True, check=False)
    for number in map(int, found.stdout.split()):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def start(name: str, folder: Path, run: Path) -> subprocess.Popen[bytes]:
    """Start a machine's launcher; what it says is added to the machine's log."""
    begin = shlex.join(("train", str(folder / "photos"), "--out", str(run), *OPTIONS))
    script = LAUNCH.format(
        name=f"machine-{name}", hosts=folder / "hosts", run=run, begin=shlex.quote(begin), python=sys.executable,
        port=PORT,
    )  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "THALWEG_CACHE": str(folder / f"cache-{name}")}
    with (folder / f"log-{name}").open("ab") as log:
        return subprocess.Popen(
            [IP, "netns", "exec", space(name), "unshare", "--mount", "--uts", "bash", "-c", script],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip


def steps_of(run: Path) -> int:
    """Updates that the run has noted."""
    return len((run / "steps.csv").read_bytes().splitlines()) - 1 if (run / "steps.csv").is_file() else 0


def try_case(told: Case, folder: Path, truth: dict[str, object] | None) -> tuple[Case, dict[str, object]]:
    """Train on both machines, disturb them, and compare."""
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    for name in MACHINES:
        (folder / f"log-{name}").unlink(missing_ok=True)
    with network(folder):
        began = time.perf_counter()
        launchers = {name: start(name, folder, run) for name in MACHINES}
        if set(told) & {"lost", "cable"}:
            while steps_of(run) < AT_STEP and time.perf_counter() - began < PATIENCE:
                time.sleep(0.1)
        disturbed = time.perf_counter()
        if "lost" in told:
            lose(told["lost"])
            launchers[told["lost"]].wait()
            time.sleep(told["away"])
            launchers[told["lost"]] = start(told["lost"], folder, run)
        elif "cable" in told:
            ip("-n", space("b"), "link", "set", "tw-b", "down")
            if told["cable"] is None:
                noticed = wait_for_line(folder / "log-a", "lost another rank", disturbed)
                lose("b")
                launchers["b"].wait()
                ip("-n", space("b"), "link", "set", "tw-b", "up")
                launchers["b"] = start("b", folder, run)
                told = told | {"noticed_after_seconds": noticed}
            else:
                time.sleep(told["cable"])
                ip("-n", space("b"), "link", "set", "tw-b", "up")
        statuses = {}
        for name, launcher in launchers.items():
            try:
                statuses[name] = launcher.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                statuses[name] = "hung"
        seconds = time.perf_counter() - disturbed
    said = [(folder / f"log-{name}").read_text(errors="replace") for name in MACHINES]
    found = traces(run) if (run / "metrics.json").is_file() else {}
    for name in [name for name in found if name.startswith("best-")]:
        del found[name]  # how many are kept goes by the clock; the best one's weights are in the model
    wrong = differences(truth or found, found) if found else ["never finished"]
    case = told | {
        "statuses": statuses,
        "seconds_from_then_to_the_end": round(seconds, 1),
        "launchers_begun_anew": sum(text.count("\nlauncher machine-") for text in said),
        "told": next((line for text in said for line in text.splitlines() if "lost another rank" in line), None),
        "wrong": wrong,
        "held": not wrong and set(statuses.values()) == {0} and told.get("noticed_after_seconds", 0) is not None,
    }
    return case, found


def on_one_machine(folder: Path, truth: dict[str, object]) -> Case:
    """Train with four ranks on one machine; hold losses against those of two machines."""
    words = ("train", str(folder / "photos"), "--out", str(folder / "alone"), *OPTIONS)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "4", "-m", "thalweg"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "THALWEG_CACHE": str(folder / "cache-a")}
    subprocess.run([*command, *words], env=environment, capture_output=True, check=False)
    found = traces(folder / "alone")
    pairs = [
        (float(one["loss"]), float(two["loss"]))
        for one, two in zip(found["steps.csv"], truth["steps.csv"], strict=True)  # type: ignore[call-overload]
    ]
    first = max(abs(one - two) / one for one, two in pairs[:10])
    return {
        "first_ten_losses_differ_by": first,
        "all_losses_differ_by": max(abs(one - two) / one for one, two in pairs),
        "weights_equal_to_the_bit": found["model.safetensors"] == truth["model.safetensors"],
    }


def wait_for_line(log: Path, words: str, since: float) -> float | None:
    """Seconds until a line comes; None where it does not."""
    while time.perf_counter() - since < PATIENCE:
        if words in log.read_text(errors="replace"):
            return round(time.perf_counter() - since, 1)
        time.sleep(0.5)
    return None


def main() -> int:
    """Run on from what the result file holds; the undisturbed run comes first, and again where it was kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--most", type=int, default=len(CASES), help="how many more to run")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    details = json.loads(options.out.read_text())["details"] if options.out and options.out.is_file() else []
    known = {case["case"] for case in details}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder / "photos")
        undisturbed, truth = try_case(CASES[0], folder, None)
        undisturbed["beside_four_ranks_of_one_machine"] = on_one_machine(folder, truth)
        print(undisturbed, file=sys.stderr)
        for told in CASES:
            if told["case"] in known or options.most <= 0:
                continue
            options.most -= 1
            case = undisturbed if told is CASES[0] else try_case(told, folder, truth)[0]
            details.append(case)
            print(case, file=sys.stderr)
            if options.out:
                held = sum(case["held"] for case in details)
                result = {"row": 6, "cases": len(details), "held": held, "details": details}
                options.out.write_text(json.dumps(result | machine(), indent=1) + "\n", encoding="utf-8")
    print(f"{sum(case['held'] for case in details)} of {len(details)} held")
    return int(not all(case["held"] for case in details))


if __name__ == "__main__":
    sys.exit(main())
