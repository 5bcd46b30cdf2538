"""What teacher and student are made to know and not to know is found, on real networks.

Images are 8 x 8 with three channels; the class is told by colour and by form at once. Networks
are built to look at one of them only, so that operators that spoil the other do nothing to them.
"""
