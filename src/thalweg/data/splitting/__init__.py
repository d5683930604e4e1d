"""Which samples are held out."""
