"""Steps of the demo: runs, their progress, their results."""
