"""The processes behind one set of services, started inside a network of their own.

Several of the servers bind a metrics port on every address, with no option against it, and some
would reach out (roots, time servers).  So all run in a network namespace with nothing but a
loopback, as children of the first process of a process namespace: they bind what they want, reach
nothing, and none outlives it.  What clients need is handed out through listeners on 127.0.0.1 that
were opened outside.
"""
import http.client
import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import issuer
import trust

PUBLIC = ("fulcio", "rekor", "rekor2", "tsa", "ct", "oidc")  # have a listener outside
DATABASE, TRILLIAN = 3306, 8090  # only inside
REKOR2 = 8100
PATIENCE = 90  # seconds for a service to answer; a few are usual, an overloaded machine takes longer


class Failed(Exception):
    """A service that didn't do what it must; the text says which and what it wrote."""


class Services:
    def __init__(self, folder, programs, listeners, secret):
        self.folder, self.programs = pathlib.Path(folder), pathlib.Path(programs)
        self.listeners, self.secret = listeners, secret
        self.ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
        self.base = {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        self.running = {}

    # ---- processes -------------------------------------------------------------------------------

    def start(self, name, *command):
        with open(self.folder / "log" / name, "wb") as log:
            process = subprocess.Popen([str(part) for part in command], cwd=self.folder, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=subprocess.STDOUT, env=self.environment())
        self.running[process.pid] = name

    def environment(self):
        """Nothing of the caller's: the servers read their options from variables too."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder / "data"), "TMPDIR": str(self.folder / "data")}

    def tail(self, name):
        log = (self.folder / "log" / name).read_text(errors="replace").splitlines()
        return "\n".join(log[-15:])

    def check_all_run(self):
        """Reaps what ended, as the first process must; fails if it was a service."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.running:
                name = self.running[pid]
                raise Failed(f"{name} ended with {os.waitstatus_to_exitcode(status)}:\n{self.tail(name)}")

    def wait_for(self, name, probe):
        """probe() answers something, or raises OSError for as long as the service is not up."""
        end = time.monotonic() + PATIENCE
        while True:
            self.check_all_run()
            try:
                return probe()
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > end:
                    raise Failed(f"{name} did not answer in {PATIENCE} s ({error}):\n{self.tail(name)}") from error
            time.sleep(0.05)

    def wait_for_url(self, name, path, port=None):
        url = f"http://127.0.0.1:{port or self.ports[name]}{path}"
        return self.wait_for(name, lambda: urllib.request.urlopen(url, timeout=10).read())

    def wait_for_port(self, name, port):
        self.wait_for(name, lambda: socket.create_connection(("127.0.0.1", port)).close())

    # ---- each service ----------------------------------------------------------------------------

    def start_database(self):
        """MariaDB with no accounts: whoever is in this network may do all."""
        data = self.folder / "data" / "database"
        data.mkdir()
        # durability is worth nothing here
        options = ["--no-defaults", f"--datadir={data}", f"--tmpdir={self.folder}/data", "--innodb-log-file-size=8M",
                   "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
                   "--innodb-flush-method=nosync", "--skip-grant-tables"]
        if os.geteuid() == 0:
            options.append("--user=root")
        schema = (self.programs / "trillian.sql").read_text()
        statements = f"CREATE DATABASE trillian;\nCREATE DATABASE search;\nUSE trillian;\n{one_a_line(schema)}\n"
        with open(self.folder / "log" / "database-bootstrap", "wb") as log:
            subprocess.run(["mariadbd", *options, "--bootstrap"], input=statements.encode(), env=self.environment(),
                           stdout=log, stderr=subprocess.STDOUT, check=True)
        self.start("database", "mariadbd", *options, f"--port={DATABASE}", "--bind-address=127.0.0.1",
                   "--socket=socket", f"--pid-file={self.folder}/data/database.pid", "--skip-log-bin", "--skip-name-resolve")

    def start_rekor(self):
        self.wait_for_port("database", DATABASE)
        common = ("--storage_system=mysql", f"--mysql_uri=root@tcp(127.0.0.1:{DATABASE})/trillian", "--quota_system=noop",
                  "--http_endpoint=")
        self.start("trillian-server", self.programs / "trillian_log_server", *common, f"--rpc_endpoint=127.0.0.1:{TRILLIAN}")
        self.start("trillian-signer", self.programs / "trillian_log_signer", *common, "--force_master",
                   f"--rpc_endpoint=127.0.0.1:{TRILLIAN + 1}")
        self.wait_for_port("trillian-server", TRILLIAN)
        self.start("rekor", self.programs / "rekor-server", "serve", "--trillian_log_server.address=127.0.0.1",
                   f"--trillian_log_server.port={TRILLIAN}", "--rekor_server.address=127.0.0.1", f"--port={self.ports['rekor']}",
                   f"--rekor_server.hostname={trust.REKOR1_NAME}", "--rekor_server.signer=memory",
                   "--search_index.storage_provider=mysql", f"--search_index.mysql.dsn=root@tcp(127.0.0.1:{DATABASE})/search")

    def start_rekor2(self):
        self.start("rekor2", self.programs / "rekor-tiles", "serve", "--http-address=127.0.0.1", f"--http-port={REKOR2}",
                   f"--grpc-port={REKOR2 + 1}", f"--http-metrics-port={REKOR2 + 2}", f"--hostname={trust.REKOR2_NAME}",
                   f"--storage-dir={self.folder}/data/rekor2", "--signer-filepath=keys/rekor2.key",
                   "--checkpoint-interval=1s", "--batch-max-age=50ms")

    def start_tsa(self):
        self.start("tsa", self.programs / "timestamp-server", "serve", "--host=127.0.0.1", f"--port={self.ports['tsa']}",
                   "--timestamp-signer=memory", "--disable-ntp-monitoring")

    def start_ct(self):
        self.start("ct", self.programs / "tesseract", f"--http_endpoint=127.0.0.1:{self.ports['ct']}", "--origin=ct.local",
                   f"--storage_dir={self.folder}/data/ct", "--private_key=keys/ct.key", "--roots_pem_file=keys/root.pem",
                   "--enable_publication_awaiter=false")

    def start_fulcio(self):
        write_fulcio_config(self.folder / "fulcio.yaml", self.base["oidc"])
        self.start("fulcio", self.programs / "fulcio", "serve", "--host=127.0.0.1", f"--port={self.ports['fulcio']}",
                   "--grpc-host=127.0.0.1", "--grpc-port=8200", "--metrics-port=8201", "--ca=fileca",
                   "--fileca-cert=keys/ca.pem", "--fileca-key=keys/ca.key", f"--fileca-key-passwd={trust.CA_PASSWORD}",
                   "--fileca-watch=false", f"--ct-log-url={self.base['ct']}", "--ct-log-public-key-path=keys/ct.pub",
                   "--config-path=fulcio.yaml")

    # ---- all of them -----------------------------------------------------------------------------

    def start_all(self):
        bring_up_loopback()
        for name in ("log", "data", "data/rekor2", "data/ct"):
            (self.folder / name).mkdir()
        trust.make_keys(self.folder / "keys")
        oidc = issuer.handler_of(issuer.Issuer(self.folder / "keys" / "issuer.key", self.base["oidc"], self.secret))
        inner = socket.create_server(("127.0.0.1", self.ports["oidc"]))
        serve_http(inner, oidc)
        self.start_tsa()
        self.start_rekor2()
        self.start_ct()
        self.start_database()
        self.wait_for_port("ct", self.ports["ct"])
        self.start_fulcio()
        self.start_rekor()
        chain = self.wait_for_url("tsa", "/api/v1/timestamp/certchain")
        (self.folder / "keys" / "tsa.pem").write_bytes(chain)
        self.wait_for_url("rekor2", "/healthz", REKOR2)
        self.wait_for_url("fulcio", "/api/v2/configuration")
        key = self.wait_for_url("rekor", "/api/v1/log/publicKey")
        (self.folder / "keys" / "rekor1.pub").write_bytes(key)
        self.open_log()
        serve_http(self.listeners["oidc"], oidc)
        serve_http(self.listeners["rekor2"], tiles_handler(self.folder / "data" / "rekor2"))
        for name in ("fulcio", "rekor", "tsa", "ct"):
            threading.Thread(target=relay, args=(self.listeners[name], self.ports[name]), daemon=True).start()

    def open_log(self):
        """The first entry of the log: some clients of 2025 take an index of 0 for a missing one."""
        key = self.folder / "keys" / "first.key"
        trust.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        message = b"the first entry\n"
        digest = trust.openssl("dgst", "-sha256", "-r", data=message).split()[0].decode()
        entry = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": digest}},
            "signature": {"content": trust.base64_of(trust.openssl("dgst", "-sha256", "-sign", key, data=message)),
                          "publicKey": {"content": trust.base64_of(trust.openssl("ec", "-in", key, "-pubout"))}}}}
        request = urllib.request.Request(f"{self.base['rekor']}/api/v1/log/entries", json.dumps(entry).encode(),
                                         {"Content-Type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=60).read()
        except urllib.error.HTTPError as error:
            raise Failed(f"rekor refused the first entry: {error.read().decode()}\n{self.tail('rekor')}") from error


def one_a_line(sql):
    """Statements as `mariadbd --bootstrap` reads them: one a line, without comments."""
    lines = [line.partition("--")[0].partition("#")[0].strip() for line in sql.splitlines()]
    return " ".join(lines).replace(";", ";\n")


def bring_up_loopback():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


CI_PROVIDERS = "ci-providers.yaml"  # beside this file


def write_fulcio_config(path, oidc):
    lines = ["oidc-issuers:"]
    for kind in issuer.KINDS:
        of_kind = {"github": "type: ci-provider, ci-provider: github-workflow",
                   "gitlab": "type: ci-provider, ci-provider: gitlab-pipeline", "email": "type: email"}[kind]
        lines.append(f"  {oidc}/{kind}: {{issuer-url: {oidc}/{kind}, client-id: sigstore, {of_kind}}}")
    here = pathlib.Path(__file__).parent
    path.write_text("\n".join(lines) + "\n" + (here / CI_PROVIDERS).read_text())


# ---- what is handed out ------------------------------------------------------------------------------


def serve_http(listener, handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_address = listener.getsockname()
    server.server_name, server.server_port = server.server_address
    threading.Thread(target=server.serve_forever, daemon=True).start()


def relay(listener, port):
    """Each connection to the listener goes on to the port in here."""
    while True:
        outer, _ = listener.accept()
        try:
            inner = socket.create_connection(("127.0.0.1", port))
        except OSError:
            outer.close()
            continue
        for source, sink in ((outer, inner), (inner, outer)):
            threading.Thread(target=pump, args=(source, sink), daemon=True).start()


def pump(source, sink):
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def tiles_handler(storage):
    """Rekor v2 as people run it: its server takes entries, and a file server has the tiles."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = self.path.partition("?")[0]
            prefix = "/api/v2/"
            if path == f"{prefix}checkpoint" or path.startswith(f"{prefix}tile/"):
                file = (storage / path[len(prefix):]).resolve()
                if not file.is_relative_to(storage.resolve()) or not file.is_file():
                    self.answer(404, "text/plain", b"there is no such tile\n")
                else:
                    self.answer(200, "application/octet-stream", file.read_bytes())
            else:
                self.forward(None)

        def do_POST(self):
            self.forward(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def forward(self, body):
            server = http.client.HTTPConnection("127.0.0.1", REKOR2, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            try:
                server.request(self.command, self.path, body, headers)
                reply = server.getresponse()
                content = reply.read()
            except OSError as error:
                self.answer(502, "text/plain", f"rekor2: {error}\n".encode())
                return
            finally:
                server.close()
            kept = {name: value for name, value in reply.getheaders()
                    if name.lower() not in ("connection", "content-length", "content-type", "transfer-encoding")}
            self.answer(reply.status, reply.getheader("Content-Type", "application/json"), content, kept)

        def answer(self, status, kind, body, headers=None):
            self.send_response(status)
            for name, value in (headers or {}).items():
                if name.lower() not in ("date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form, *values):
            pass

    return Handler
