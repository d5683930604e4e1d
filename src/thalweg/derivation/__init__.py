"""Convolution calculus on paper: forward pass, Jacobians and chain rule, exact, with numbers, fractions or symbols."""
