"""How `check` tells what it found: one module a format, named in `registry`."""
