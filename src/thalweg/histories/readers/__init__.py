"""One reader a file: each knows the marks of its format and its traps, and gives raw curves."""
