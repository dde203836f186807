"""`python -m upliftlab`."""

from upliftlab.cli import main

main()
