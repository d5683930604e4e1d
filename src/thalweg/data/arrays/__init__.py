"""What arrays mean: axes, ranges, names of their rows, and bringing them to a size."""
