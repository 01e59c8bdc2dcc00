"""Access: tokens, and the decorators by which each route declares who may call it."""
