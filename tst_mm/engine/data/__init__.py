"""What is loaded when: streams of random numbers, seeded loaders, their workers."""
