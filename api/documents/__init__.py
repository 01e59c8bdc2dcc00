"""The contract for authors of clients: the OpenAPI document of REST, and the AsyncAPI document of the sockets.

Both come from the code: the routes, the shapes in shared/wire/, the errors that a view's code can raise, the events.
"""
