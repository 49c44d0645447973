"""How does each server start, and what must be there before it?

    PostgreSQL -> Trillian's server and signer -> a tree for each log -> CT log, Rekor v1
    issuers, CT log -> Fulcio                     Rekor v2, both clocks: need nothing

A log is ready when it has taken its first entry: see `first_entry`.
"""

import getpass
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from tests.stack.authorities import OPERATOR, OTHER_OPERATOR, Authorities
from tests.stack.build import SERVERS, StackAbsent, binary, built, data
from tests.stack.documents import REKOR_V1_NAME, REKOR_V2_NAME, client_trust_config, signing_config, trusted_root
from tests.stack.first_entry import log_first_entry
from tests.stack.identities import IDENTITIES
from tests.stack.processes import Processes, StackFailed, answers, listens, ports
from tests.stack.stack import Stack

__all__ = ["require", "running"]

_TRIES = 3
"""A port that was free may be taken before its server listens; then all begin anew."""

_DATABASE = "glasswing-attest-db-"
"""What the databases' folders are called, before the process that has one."""


def require() -> None:
    """Check that everything is here that `running` starts. Raises `StackAbsent`, with what to do."""
    if not built(SERVERS):
        raise StackAbsent("the real Sigstore is not built here: run `make stack-build` (needs Go and the network once)")
    _postgres()
    if shutil.which("openssl") is None:
        raise StackAbsent("openssl is absent: it is the stack's second clock")


@contextmanager
def running(folder: Path) -> Generator[Stack]:
    """Start everything, in a new folder; it ends with the block.

    Raises:
        StackAbsent: the servers are not built, or a program that they need is absent.
        StackFailed: one of them does not start.
    """
    require()
    _sweep()
    with ExitStack() as until_the_end:
        stack = _started(folder, until_the_end)
        stack.write()
        yield stack


def _started(folder: Path, until_the_end: ExitStack) -> Stack:
    tries = 0
    while True:
        tries += 1
        (folder / "logs").mkdir(parents=True)
        with ExitStack() as this_time:
            # Not below `folder`: the database may run as another user, who cannot enter it.
            database = this_time.enter_context(tempfile.TemporaryDirectory(prefix=f"{_DATABASE}{os.getpid()}-"))
            servers = this_time.enter_context(Processes(folder / "logs"))
            try:
                stack = _start(folder, Path(database), servers)
            except StackFailed as e:
                if tries == _TRIES or "address already in use" not in str(e).lower():
                    raise
            else:
                until_the_end.enter_context(this_time.pop_all())
                return stack
        shutil.rmtree(folder)


def _start(folder: Path, database: Path, servers: Processes) -> Stack:
    keys = Authorities(folder)
    issuer, clock, tsa, postgres, trillian, ct, rekor1, front, *others = ports(14)
    (rekor2, rekor2_grpc, rekor2_metrics), (fulcio, fulcio_grpc, fulcio_metrics) = others[:3], others[3:]

    def url(port: int, path: str = "") -> str:
        return f"http://127.0.0.1:{port}{path}"

    def start(name: str, *arguments: str | Path) -> None:
        servers.start(name, [binary(name), *arguments], folder=folder)

    def start_python(name: str, *arguments: str | Path) -> None:
        servers.start(name, [sys.executable, "-m", "tests.stack", name, *arguments], folder=folder)

    start_python("issuer", str(issuer), keys.issuer_key)
    clock_folder = folder / "clock"
    clock_folder.mkdir()
    other = keys.other_tsa
    start_python("clock", str(clock), other.key, other.pem, clock_folder)
    start("tsa", f"--port={tsa}", f"--file-signer-key-path={keys.tsa.key}", f"--certificate-chain-path={keys.tsa.pem}")
    start(
        "rekor-v2",
        "serve",
        f"--hostname={REKOR_V2_NAME}",
        f"--storage-dir={folder / 'rekor-v2'}",
        f"--signer-filepath={keys.rekor_v2.key}",
        f"--http-port={rekor2}",
        f"--grpc-port={rekor2_grpc}",
        f"--http-metrics-port={rekor2_metrics}",
        "--checkpoint-interval=1s",
        "--batch-max-age=100ms",
    )
    start_python("front", str(front), url(rekor2), folder / "rekor-v2")

    _start_postgres(servers, database, postgres)
    storage = ("--storage_system=postgresql", f"--postgresql_uri={_database(postgres)}", "--quota_system=noop")
    start("trillian-server", f"--rpc_endpoint=127.0.0.1:{trillian}", "--http_endpoint=", *storage)
    signer = ("--rpc_endpoint=127.0.0.1:0", "--http_endpoint=", "--force_master", "--sequencer_interval=100ms")
    start("trillian-signer", *signer, *storage)
    servers.wait("trillian-server", listens(trillian))
    trees = [_tree(trillian) for _ in range(2)]

    config = _ct_config(folder, keys, trees[0])
    start("ct", f"--log_config={config}", f"--http_endpoint=127.0.0.1:{ct}", f"--log_rpc_server=127.0.0.1:{trillian}")
    start(
        "rekor-v1",
        "serve",
        f"--port={rekor1}",
        f"--rekor_server.hostname={REKOR_V1_NAME}",
        f"--rekor_server.signer={keys.rekor_v1.key}",
        f"--trillian_log_server.port={trillian}",
        f"--trillian_log_server.tlog_id={trees[1]}",
        "--enable_retrieve_api=false",
    )

    # Fulcio asks its issuers for their configuration when it starts.
    servers.wait("issuer", answers(url(issuer, "/email/jwks")))
    servers.wait("ct", answers(url(ct, "/ct/ct/v1/get-sth")))
    start(
        "fulcio",
        "serve",
        "--host=127.0.0.1",
        f"--port={fulcio}",
        "--grpc-host=127.0.0.1",
        f"--grpc-port={fulcio_grpc}",
        f"--metrics-port={fulcio_metrics}",
        f"--legacy-unix-domain-socket={database / 'fulcio.sock'}",
        "--ca=fileca",
        f"--fileca-cert={keys.fulcio.pem}",
        f"--fileca-key={keys.fulcio.key}",
        "--fileca-key-passwd=none",
        "--fileca-watch=false",
        f"--ct-log-url={url(ct, '/ct')}",
        f"--config-path={_fulcio_config(folder, url(issuer))}",
    )
    servers.wait("clock", answers(url(clock)))
    servers.wait("tsa", answers(url(tsa, "/ping")))
    servers.wait("rekor-v2", answers(url(rekor2, "/healthz")))
    servers.wait("front", answers(url(front, "/healthz")))
    servers.wait("rekor-v1", answers(url(rekor1, "/api/v1/log/publicKey")))
    servers.wait("fulcio", answers(url(fulcio, "/healthz")))
    stack = Stack(
        folder=folder,
        fulcio=url(fulcio),
        ct_log=url(ct, "/ct"),
        rekor_v1=url(rekor1),
        rekor_v2=url(front),
        rekor_v2_alone=url(rekor2),
        tsa=url(tsa, "/api/v1/timestamp"),
        other_tsa=url(clock, "/"),
        issuer=url(issuer),
        pids=servers.pids,
    )
    _write_documents(stack, keys)
    log_first_entry(stack)
    servers.check()
    return stack


def _write_documents(stack: Stack, keys: Authorities) -> None:
    root = trusted_root(keys, fulcio=stack.fulcio, ct=stack.ct_log, tsa=stack.tsa, other_tsa=stack.other_tsa)
    v1, v2 = (stack.rekor_v1, 1, OTHER_OPERATOR), (stack.rekor_v2, 2, OPERATOR)
    clock, other = (stack.tsa, OPERATOR), (stack.other_tsa, OTHER_OPERATOR)
    services = {"fulcio": stack.fulcio, "issuer": stack.issuer_of("email")}
    configs = {
        stack.signing_config: signing_config(keys.start, **services, logs=[v2], clocks=[clock]),
        stack.signing_config_v1: signing_config(keys.start, **services, logs=[v1], clocks=[clock]),
        stack.signing_config_all: signing_config(
            keys.start, **services, logs=[v2, v1], clocks=[clock, other], selector="ALL"
        ),
    }
    both = {
        path.with_name(path.name.replace("signing", "client_trust")): client_trust_config(root, config)
        for path, config in configs.items()
    }
    for path, document in {stack.trusted_root: root, **configs, **both}.items():
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _fulcio_config(folder: Path, issuer: str) -> Path:
    """Upstream's configuration, with our issuers instead of the world's."""
    upstream = yaml.safe_load(data("fulcio.yaml").read_bytes())
    config = {
        "oidc-issuers": {
            f"{issuer}/{name}": {"issuer-url": f"{issuer}/{name}", "client-id": "sigstore", **identity.fulcio}
            for name, identity in IDENTITIES.items()
        },
        "ci-issuer-metadata": upstream["ci-issuer-metadata"],
    }
    path = folder / "fulcio.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def _ct_config(folder: Path, keys: Authorities, tree: str) -> Path:
    der = "".join(f"\\x{byte:02x}" for byte in keys.ct.private_der)
    root = folder / "fulcio-root.pem"
    root.write_bytes(keys.fulcio.pem.read_bytes())
    path = folder / "ct.textproto"
    path.write_text(
        f'config {{ log_id: {tree} prefix: "ct" roots_pem_file: "{root}" ext_key_usages: "CodeSigning"\n'
        f'  max_merge_delay_sec: 60 private_key {{ [type.googleapis.com/keyspb.PrivateKey] {{ der: "{der}" }} }} }}\n',
        encoding="utf-8",
    )
    return path


def _tree(trillian: int) -> str:
    command = [str(binary("trillian-tree")), f"--admin_server=127.0.0.1:{trillian}", "--rpc_deadline=30s"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise StackFailed(f"no tree for a log: {done.stderr}")
    return done.stdout.strip()


def _postgres() -> Path:
    """The folder of PostgreSQL's programs: Debian keeps the server's off PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for name in filter(None, (shutil.which("postgres"), *(shutil.which("postgres", path=str(p)) for p in places))):
        return Path(name).resolve().parent
    raise StackAbsent("PostgreSQL is absent: install its server (Debian: apt-get install postgresql)")


def _database(port: int) -> str:
    return f"postgresql://stack@127.0.0.1:{port}/trillian?sslmode=disable"


def _start_postgres(servers: Processes, folder: Path, port: int) -> None:
    """A database of its own, on the loopback, which forgets everything."""
    programs, user = _postgres(), None
    if os.getuid() == 0:  # as which it refuses to run
        user = next((name for name in ("postgres", "nobody") if _exists(name)), getpass.getuser())
        shutil.chown(folder, user)
    place = folder / "data"
    sql = data("trillian.sql").read_bytes()

    def run(name: str, *arguments: str, given: bytes = b"") -> None:
        command = [str(programs / name), *arguments]
        done = subprocess.run(command, cwd=folder, input=given, capture_output=True, user=user)
        if done.returncode:
            raise StackFailed(f"{name}: {done.stderr.decode('utf-8', 'replace')[-2000:]}")

    run("initdb", "-D", str(place), "-U", "stack", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "200"}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(place), "-p", str(port), *settings]
    servers.start("postgres", command, folder=folder, user=user, gentle=signal.SIGQUIT)
    connect = ("-h", "127.0.0.1", "-p", str(port), "-U", "stack")

    def ready() -> bool:
        # It listens before it takes anybody in.
        return subprocess.run([programs / "pg_isready", *connect], capture_output=True).returncode == 0

    servers.wait("postgres", ready)
    run("createdb", *connect, "trillian")
    run("psql", *connect, "-d", "trillian", "-q", "-v", "ON_ERROR_STOP=1", given=sql)


def _sweep() -> None:
    """Remove the databases of those who were killed before they could."""
    for path in Path(tempfile.gettempdir()).glob(f"{_DATABASE}*-*"):
        try:
            os.kill(int(path.name.removeprefix(_DATABASE).partition("-")[0]), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except (PermissionError, ValueError):  # somebody else's
            continue


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
