"""A package of somebody else's: an engine, two kinds of metrics and an output format."""
