"""What the scripts of ``tools/data`` are made of."""
