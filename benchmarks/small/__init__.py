"""Small trainings in memory: what to augment, how much, and whether a search brings anything."""
