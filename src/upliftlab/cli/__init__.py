"""Where the user comes in."""

from upliftlab.cli.app import commands, main

__all__ = ["commands", "main"]
