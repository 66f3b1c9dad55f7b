"""HTTP/2 judged by other people's clients."""
