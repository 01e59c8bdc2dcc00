"""The database: connections, transactions, statements, the clock and the schema. The tables are in `shared/models/`."""
