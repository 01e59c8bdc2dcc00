"""Routes of files, beside the API: those of the page, and the documents for authors of clients."""
