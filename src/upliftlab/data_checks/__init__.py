"""Whether an experiment and its tables fit, before anything is analysed."""
