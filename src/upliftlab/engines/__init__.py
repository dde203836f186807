"""Where data lie and queries run."""
