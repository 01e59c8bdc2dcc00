"""What the socket server is made of. `api/realtime.py` puts it together, under eventlet.

Nothing here imports eventlet: threads, sockets and sleeps are made green before these modules are loaded.
"""
