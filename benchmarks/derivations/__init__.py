"""How the cases and answers of `benchmarks/derive.py` are made."""
