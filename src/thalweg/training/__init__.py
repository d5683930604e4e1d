"""The training loop and its parts: step, optimizers, schedules, precision, averaging, probe, checkpoints, interruption."""
