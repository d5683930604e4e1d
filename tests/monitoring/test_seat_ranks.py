"""Two ranks over gloo on this machine: each watches its own batches, and weights are those of an unwatched run."""

import subprocess
import sys

PROGRAM = """
import sys, torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional
from thalweg.workbench.watch import watch

rank, place = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=2)
for watched in (False, True):
    torch.manual_seed(0)
    model = nn.parallel.DistributedDataParallel(
        nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watching = watch(model, optimizer, repair=True) if watched and rank == 0 else None
    generator = torch.Generator().manual_seed(rank)
    for _ in range(12):
        x = torch.randn(8, 6, generator=generator)
        optimizer.zero_grad()
        functional.cross_entropy(model(x), x[:, :3].argmax(1)).backward()
        optimizer.step()
    if watching:
        assert watching.steps == 12, watching.seat.closed_because
        assert watching.history().signal("batch_critical_step") is not None
        assert not watching.interventions
    print(sum(float(weight.detach().double().sum()) for weight in model.parameters()))
dist.destroy_process_group()
"""


def test_one_watched_rank_of_two_changes_nothing_and_waits_for_nobody(tmp_path):
    program = tmp_path / "ranks.py"
    program.write_text(PROGRAM)
    started = [
        subprocess.Popen(
            [sys.executable, str(program), str(rank), str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [process.communicate(timeout=240) for process in started]
    assert [process.returncode for process in started] == [0, 0], told
    for out, _ in told:
        plain, watched = out.split()
        assert plain == watched
