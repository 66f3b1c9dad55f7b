"""The benchmark of the server: what runs, how it is measured, what is reported."""
