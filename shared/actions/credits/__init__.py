"""Credits: grant them, and compare balances with the ledger."""
