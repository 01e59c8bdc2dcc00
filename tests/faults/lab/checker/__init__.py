"""The checker of what must hold after every fault."""
