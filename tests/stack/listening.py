"""How many clients may knock at once?"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["listening"]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # whoever comes while five others wait would ask again after seconds
    daemon_threads = True


def listening(port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """Make a server on the loopback; it has to be run."""
    return _Server(("127.0.0.1", port), handler)
