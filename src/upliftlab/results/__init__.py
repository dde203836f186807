"""What is published: frozen values, one module for each JSON, and the rule by which they decide."""
