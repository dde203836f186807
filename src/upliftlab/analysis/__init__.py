"""What one analysis does, step by step: aggregation, estimation, findings, checks, verdict."""
