"""Policy dialects, each lowered to clauses."""
