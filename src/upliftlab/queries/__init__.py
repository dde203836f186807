"""The few SQL queries of the house, written once."""
