"""Background jobs: added in the transaction of what they are about, run at least once by some process (PgQueuer)."""
