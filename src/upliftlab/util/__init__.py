"""What knows nothing of experiments: files, folders and SQL's quotes."""
