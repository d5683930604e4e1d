"""The training loop and its parts: optimizers, schedules, precision, averaging, checkpoints, interruption."""
