"""Scripts that prepare and check data sets, and what they are made of."""
