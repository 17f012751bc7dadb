# shellcheck shell=bash disable=SC2154
# A server to speak TLS with, and a root that holds next to nothing.

# start_tls_server: a registry that has nothing, at https://localhost:$tls_port, under a certificate
# authority of its own in $scratch/tls/ca.pem; it notes requests in $scratch/tls/requests.
start_tls_server() {
  need openssl python3
  local folder=$scratch/tls
  mkdir -p "$folder"
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key.pem" -out "$folder/ca.pem" -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:registry.internal 2> "$folder/log"
  tls_port=$(free_port)
  python3 - "$folder" "$tls_port" << 'PYTHON' &
import http.server, ssl, sys

folder, port = sys.argv[1], int(sys.argv[2])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(folder + "/requests", "a") as log:
            log.write(self.command + " " + self.path + "\n")
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", port), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/ca.pem", folder + "/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
  started+=("$!")
  wait_for_port "$tls_port" || fail 'the TLS server did not start'
}

# make_root FOLDER: the program, a hosts file and a CA file, and nothing else.
make_root() {
  mkdir -p "$1/etc"
  cp "$nix_seed" "$1/nix-seed"
  cp "$scratch/tls/ca.pem" "$1/ca.pem"
  echo '127.0.0.1 localhost registry.internal' > "$1/etc/hosts"
}

# asks_in FOLDER VARIABLE...: in that root, does the program get the server's answer?  Where the root
# has an emulator, the program runs in it.
asks_in() {
  local root=$1 code=0 program=(/nix-seed)
  shift
  [[ ! -e $root/qemu ]] || program=(/qemu "${program[@]}")
  : > "$scratch/tls/requests"
  env -i "$@" "$(PATH=$PATH:/usr/sbin command -v chroot)" "$root" "${program[@]}" \
    inspect "registry.internal:$tls_port/o/r:x" > "$scratch/out" 2> "$scratch/err" || code=$?
  expect_equal "exit code ($(head -n 3 "$scratch/err"))" 2 "$code"
  expect_text "$scratch/err" "has no seed for"
  expect_text "$scratch/tls/requests" 'GET /v2/o/r/manifests/x'
}
