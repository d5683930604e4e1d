"""Published weights: where they are, how they are read without running anything, and how they must fit."""
