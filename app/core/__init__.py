"""What every room speaks: actors, errors, ids, pages, settings and the clock. Pure, no database, no network."""
