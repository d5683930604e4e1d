"""The experiments. A file here with a `LAB` is one: its name is the file's, its first line tells what it asks."""
