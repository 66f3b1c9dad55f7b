"""The whole-system tests: the real program, real Python, real sockets."""
