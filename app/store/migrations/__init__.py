"""Alembic's environment and the revisions. Run by ``app.store.migrate``, never by hand."""
