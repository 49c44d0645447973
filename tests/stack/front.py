"""Who serves the tiles of Rekor v2?

Its server writes them to files and answers nothing but new entries; whoever runs one puts a server of his own before
both, under one address. A client that hangs up there does not hang up on the log.
"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import urllib3

from tests.stack.listening import listening

__all__ = ["serve"]

_BASE = "/api/v2/"
_TAKEN = ("Content-Type", "Content-Length")


def serve(port: int, behind: str, tiles: Path) -> ThreadingHTTPServer:
    """Make the server; it has to be run. `behind` is the URL of the log's own."""
    pool = urllib3.PoolManager(maxsize=64)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = (tiles / self.path.removeprefix(_BASE)).resolve()
            if self.path.startswith(_BASE) and path.is_relative_to(tiles.resolve()) and path.is_file():
                self._reply(200, path.read_bytes(), {})
            else:
                self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass_on(self, body: bytes | None) -> None:
            kept = {name: self.headers[name] for name in _TAKEN if name in self.headers}
            told = pool.request(self.command, f"{behind}{self.path}", body=body, headers=kept, retries=False)
            dropped = {"connection", "transfer-encoding", "content-length"}
            said = {name: value for name, value in told.headers.items() if name.lower() not in dropped}
            self._reply(told.status, told.data, said)

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return listening(port, Handler)
