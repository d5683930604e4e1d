"""Extreme eigenvalues and trace of one small network by curvlinops and scipy, for tests/curvature/test_lanczos.py.

    pip install curvlinops-for-pytorch && python benchmarks/curvature_reference.py

writes benchmarks/results/curvature_reference.json. Neither weights nor data are random, so that the test can make the
same network with any version of torch; this script does not import thalweg.
"""

import importlib.metadata
import json
import pathlib

import torch
from curvlinops import HessianLinearOperator
from scipy.sparse.linalg import eigsh

RESULT = pathlib.Path(__file__).resolve().parent / "results" / "curvature_reference.json"


def main() -> None:
    inputs = torch.sin(torch.arange(64 * 10, dtype=torch.float64)).reshape(64, 10)
    labels = torch.arange(64) % 4
    module = torch.nn.Sequential(torch.nn.Linear(10, 20), torch.nn.Tanh(), torch.nn.Linear(20, 4)).double()
    with torch.no_grad():
        for number, weight in enumerate(module.parameters()):
            weight.copy_(torch.cos(torch.arange(weight.numel()) * (1.3 + number)).reshape(weight.shape) * 0.7)
    operator = HessianLinearOperator(module, torch.nn.CrossEntropyLoss(), list(module.parameters()), [(inputs, labels)])
    linear = operator.to_scipy()
    top = sorted(eigsh(linear, k=3, which="LA", return_eigenvectors=False), reverse=True)
    bottom = sorted(eigsh(linear, k=3, which="SA", return_eigenvectors=False))
    size = linear.shape[0]
    trace = sum(
        float((linear @ row)[number]) for number, row in enumerate(torch.eye(size, dtype=torch.float64).numpy())
    )
    versions = {name: importlib.metadata.version(name) for name in ("torch", "scipy")}
    record = {
        "curvlinops": importlib.metadata.version("curvlinops-for-pytorch"),
        **versions,
        "parameters": size,
        "top": [float(value) for value in top],
        "bottom": [float(value) for value in bottom],
        "trace": trace,
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record))


if __name__ == "__main__":
    main()
