"""A training under way, what it writes, and how it ends."""
