"""The search over a user's own messages and titles. The database's triggers keep its entries (D-173)."""
