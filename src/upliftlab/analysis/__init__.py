"""What one analysis does, step by step: intake, cube, study, findings, checks, verdict."""
