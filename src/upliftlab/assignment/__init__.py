"""Who takes part, and who gets which arm: the hash, its shares, and the query that decides."""
