"""The training loop and its parts: optimizers, schedules, precision, averaging, probe, checkpoints, interruption."""
