"""Rules across fields, one subject a module: each function with its code and its examples."""
