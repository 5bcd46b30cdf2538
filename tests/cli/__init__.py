"""Running the tools as a user does."""
