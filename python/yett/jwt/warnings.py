"""Warnings, under PyJWT's names."""


class RemovedInPyjwt3Warning(DeprecationWarning):
    """An argument that does nothing."""


class InsecureKeyLengthWarning(UserWarning):
    """A shared secret is shorter than its hash, and `enforce_minimum_key_length` is off."""
