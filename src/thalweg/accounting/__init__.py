"""What every layer costs: parameters with their arithmetic, multiplications, memory, receptive field. No torch here."""
