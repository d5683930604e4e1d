"""A finished network and what it says about samples."""
