"""upliftlab: learn whether campaigns pay."""

__version__ = "0.1.0"
