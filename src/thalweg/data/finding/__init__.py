"""Which files of an opened source are samples, and of which class: `scan` asks all the others."""
