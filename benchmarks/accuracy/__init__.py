"""What TST is worth: tasks x methods x seeds at equal cost, all of them in one file of results."""
