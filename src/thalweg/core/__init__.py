"""The values of the house: frozen, made of the standard library and numpy, imported by every room."""
