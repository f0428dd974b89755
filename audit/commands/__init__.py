"""The commands, one module each with `command`; imported when called."""
