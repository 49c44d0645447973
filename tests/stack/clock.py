"""How does a second clock stamp, which shares no code with the first?

RFC 3161 over HTTP (section 3.4), answered by `openssl ts -reply`.
"""

import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.stack.listening import listening

__all__ = ["serve"]

# Without `certs`: OpenSSL would write the certificates as they come, and not in the order that DER asks for.
_CONFIG = """
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {chain}
signer_key = {key}
signer_digest = sha256
default_policy = 1.3.6.1.4.1.55555.2
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def serve(port: int, key: Path, chain: Path, folder: Path) -> ThreadingHTTPServer:
    """Make the server; it has to be run."""
    config = folder / "openssl.cnf"
    config.write_text(_CONFIG.format(folder=folder, key=key, chain=chain), encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")

    one_at_a_time = threading.Lock()  # they share the file of the last serial number

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            with tempfile.NamedTemporaryFile(dir=folder) as query:
                query.write(request)
                query.flush()
                command = ["openssl", "ts", "-reply", "-config", str(config), "-queryfile", query.name]
                with one_at_a_time:
                    done = subprocess.run(command, capture_output=True)
            self.send_response(500 if done.returncode else 200)
            body = done.stderr if done.returncode else done.stdout
            self.send_header("Content-Type", "text/plain" if done.returncode else "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return listening(port, Handler)
