"""What a verb tells while it works, in a terminal or a notebook."""
