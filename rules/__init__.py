"""The built-in rules, one module each, named by what it forbids; imported as `audit.rules`."""
