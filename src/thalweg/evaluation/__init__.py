"""Scores with their uncertainty, in numpy: probabilities and labels go in, an `Evaluation` comes out."""
