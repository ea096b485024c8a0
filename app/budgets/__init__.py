"""What may be spent in a day or a month: by a tenant, by a user, on a model."""
