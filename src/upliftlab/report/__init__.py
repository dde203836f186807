"""The page a finance director reads: one file, made from an Analysis alone."""
