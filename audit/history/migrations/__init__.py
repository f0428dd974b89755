"""Steps from an empty database to the tables, applied in order when a history is opened."""
