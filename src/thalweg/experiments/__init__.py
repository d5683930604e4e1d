"""What `thalweg lab` runs: claims of courses, measured. One experiment a file in `labs/`."""
