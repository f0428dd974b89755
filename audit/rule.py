"""The API for rule authors. Rules import this module only."""
