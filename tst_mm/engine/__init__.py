"""When things happen: the alternating schedule, what is saved, what is left behind."""
