"""The HTTP server of `web`: uvicorn, with the deadlines and limits that it lacks, around the WSGI app (D-92)."""
