"""The parts of the socket server. `api/realtime.py` builds the server from them, under eventlet.

No module here imports eventlet. `api/realtime.py` makes threads, sockets and sleeps green before it imports them.
"""
