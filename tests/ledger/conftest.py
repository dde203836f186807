"""Plans and small assignments for the ledger's tests."""
