"""What one analysis does, step by step: aggregation, aggregates, specification, findings, checks, verdict."""
