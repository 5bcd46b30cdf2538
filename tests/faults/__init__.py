"""Real trainings that are killed, told to go, or run out of disk; and mistaken input."""
