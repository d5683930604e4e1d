"""Weight gradients of single convolutions with bfloat16 products against float32, on this machine's CPU.

    python benchmarks/bfloat16_gradients.py --out benchmarks/results/bfloat16_gradients.json

Every map size has a process of its own: some of them end with a damaged heap (decision 0017). Told are the largest
difference over the largest value of the true gradient, or that the process died. Nothing above 0.05 should be left once
torch is mended.
"""

import argparse
import itertools
import json
import multiprocessing
import platform
from pathlib import Path

import torch
from torch import nn

WRONG = 0.05
SIZES = (1, 2, 3, 4, 8)
CASES = {
    1: [(window, stride, 1) for window in (3, 7, 9, 19) for stride in (1, 2, 4)],
    2: [(3, 1, 1), (3, 2, 1), (5, 2, 1), (7, 2, 1), (11, 4, 1), (3, 1, 2), (3, 1, 12)],
    3: [(3, 1, 1), (3, 2, 1), (1, 1, 1)],
}
"""Window, stride, dilation, by number of axes."""
KINDS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
FORMATS = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}


def difference(extents: tuple[int, ...], window: int, stride: int, dilation: int, samples: int, channels: int) -> float:
    """Largest difference of the weight gradient over its largest value; infinite where it is not finite."""
    axes = len(extents)
    settings = {"stride": stride, "padding": dilation * (window // 2), "dilation": dilation, "bias": False}
    layer = KINDS[axes](channels, 2 * channels, window, **settings)
    layer.weight.data = layer.weight.data.contiguous(memory_format=FORMATS[axes])
    inputs = torch.randn(samples, channels, *extents).contiguous(memory_format=FORMATS[axes])
    found = []
    for enabled in (False, True):
        layer.weight.grad = None
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            outputs = layer(inputs)
        weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1))
        (outputs.float() * weights).sum().backward()
        found.append(layer.weight.grad.clone())
    true, ours = found
    return float((true - ours).abs().max() / true.abs().max()) if bool(torch.isfinite(ours).all()) else float("inf")


def measure(extents: tuple[int, ...], answer: "multiprocessing.SimpleQueue[dict[str, float]]") -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = {}
    for window, stride, dilation in CASES[len(extents)]:
        tries = [
            difference(extents, window, stride, dilation, samples, channels)
            for samples, channels, _ in itertools.product((3, 16), (16, 32), range(2))
        ]
        found[f"window {window}, stride {stride}, dilation {dilation}"] = max(tries)
    answer.put(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    wrong, compared = {}, 0
    for axes, cases in CASES.items():
        for extents in itertools.product(SIZES, repeat=axes):
            answer = multiprocessing.SimpleQueue()
            process = multiprocessing.get_context("fork").Process(target=measure, args=(extents, answer))
            process.start()
            process.join()
            size = "x".join(map(str, extents))
            compared += len(cases)
            if process.exitcode:
                wrong[size] = f"the process died ({process.exitcode})"
                continue
            bad = {case: value for case, value in answer.get().items() if value > WRONG}
            if bad:
                wrong[size] = {case: f"{value:.3g}" for case, value in bad.items()}
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    record = {
        "benchmark": "bfloat16_gradients",
        "torch": torch.__version__,
        "machine": platform.machine(),
        "instructions": [each for each in ("avx512_bf16", "amx_bf16") if each in flags],
        "compared": compared,
        "wrong": wrong,
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"{compared} compared, wrong at {len(wrong)} map sizes: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
