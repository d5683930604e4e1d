"""How the loss bends around a point: exact Hessian products, extreme eigenvalues, trace, sharpness, critical points."""
