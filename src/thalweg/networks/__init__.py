"""Writing networks as data: a list of layers, or calls on values as Keras users know them; and the catalogue."""
