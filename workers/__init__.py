"""Whatever takes time or talks to a model."""
