"""What a step costs, beside its floor and its peers; not part of the package."""
