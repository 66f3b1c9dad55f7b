"""The grid of real frameworks."""
