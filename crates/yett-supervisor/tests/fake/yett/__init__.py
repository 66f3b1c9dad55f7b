"""Stands in for the real package, so that `python -m yett.worker` runs the fake zygote."""
