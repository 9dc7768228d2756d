"""The steps that bring a store of an older version to this one (Alembic)."""
