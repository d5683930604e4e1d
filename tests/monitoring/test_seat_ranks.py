"""Two ranks over gloo on this machine: each watches its own batches, and weights are those of an unwatched run."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys, torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional
from thalweg.workbench.watch import watch

rank = 0 if os.fork() else 1  # here, so that both have imported torch once
out, place = open(sys.argv[1 + rank], "w"), sys.argv[3]
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
        facts = watching.history().network
        assert (facts.batch_size, facts.ranks) == (16, 2)
        assert [facts.samples(layer) for layer in facts.layers if layer.batch_normalises] == [8]
    print(sum(float(weight.detach().double().sum()) for weight in model.parameters()), file=out, flush=True)
dist.destroy_process_group()
out.close()
sys.exit(0 if rank else os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the program forks, so as to import torch once")
def test_one_watched_rank_of_two_changes_nothing_and_waits_for_nobody(tmp_path):
    program, outs = tmp_path / "ranks.py", [tmp_path / f"sums-{rank}" for rank in range(2)]
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), *map(str, outs), str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    for out in outs:
        plain, watched = out.read_text().split()
        assert plain == watched
