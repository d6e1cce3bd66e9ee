"""The database: one schema for SQLite and PostgreSQL, and the two ways to run a transaction."""
