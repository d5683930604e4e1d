"""Two-line callbacks that put `thalweg.watch` into the trainers of other libraries, loaded when asked for."""
