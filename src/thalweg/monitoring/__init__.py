"""Live measurement and repair, usable in anybody's training loop: a seat on model and optimizer, and its passengers."""
