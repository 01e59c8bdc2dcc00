"""The language that the API and the workers both speak; it imports neither of them."""
