"""What is no part of the API: the files of the page, and the documents for authors of clients."""
