"""Which caller may do what: tokens, and the decorators by which each route declares its access."""
