"""The code that the API and the workers share. It imports neither of them."""
