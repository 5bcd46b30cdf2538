"""The error of data preparation."""


class PreparationError(Exception):
    """Something a user can mend: a missing source, a damaged file, an occupied folder."""
