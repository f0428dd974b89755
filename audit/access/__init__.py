"""Who may do what: role-based access control, evaluated as the API server does."""
