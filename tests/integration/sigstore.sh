# shellcheck shell=bash disable=SC2034,SC2154
# Sigstore's services on the loopback, and the programs that are referees of what they signed.

# use_services: all of them, in the folder $services, with the variables of its file env.
use_services() {
  services=$scratch/services
  "$checkout/tests/services/sigstore" start "$services" --owner "$BASHPID" || skip 'the services did not start'
  # shellcheck disable=SC1091
  source "$services/env"
}

# Before the folder is removed; the services would end by themselves only after the test did.
stop_services() {
  [[ ! -e ${services:-}/lock ]] || "$checkout/tests/services/sigstore" stop "$services"
}

# use_referee NAME...: sets $NAME to a program; cosign_2, cosign_3, sigstore_go, policy_tester or kyverno
use_referee() {
  local name folder
  for name in "$@"; do
    case $name in
    sigstore_go) folder=$("$checkout/tests/services/install" services) && sigstore_go=$folder/sigstore-go-verification ;;
    cosign_2) folder=$("$checkout/tests/services/install" cosign-2) && cosign_2=$folder/cosign ;;
    cosign_3) folder=$("$checkout/tests/services/install" cosign-3) && cosign_3=$folder/cosign ;;
    kyverno) folder=$("$checkout/tests/services/install" kyverno) && kyverno=$folder/kyverno ;;
    policy_tester) folder=$("$checkout/tests/services/install" policy-tester) && policy_tester=$folder/policy-tester ;;
    esac || skip "there is no $name"
  done
}

# cosign 2.5 would ask the public instance for keys that it does not need, unless it is told some.
run_cosign_2() {
  SIGSTORE_ROOT_FILE=$services/keys/ca.pem SIGSTORE_REKOR_PUBLIC_KEY=$services/keys/rekor1.pub \
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE=$services/keys/ct.pub "$cosign_2" "$@"
}

token_of() { "$checkout/tests/services/sigstore" token "$services" "$@"; }

# in_job BUILDER COMMAND...: with the environment of a job of that builder
in_job() (
  eval "$("$checkout/tests/services/sigstore" job "$services" "$1")"
  shift
  "$@"
)

# identity_of BUILDER: sets $san and $issuer to what its certificates have
identity_of() {
  san=someone@example.invalid issuer=$SERVICES_ISSUER_EMAIL
  [[ $1 != email ]] || return 0
  san=$(jq -er --arg name "$1" '.[$name].san' "$services/builders.json")
  issuer=$(jq -er --arg name "$1" '.[$name].issuer' "$services/builders.json")
}

# flip_bit FROM TO: a bundle with one bit of its signature the other way
flip_bit() {
  python3 - "$1" "$2" <<'PYTHON'
import base64, json, sys
bundle = json.load(open(sys.argv[1]))
holder, name = (bundle["messageSignature"], "signature") if "messageSignature" in bundle else (bundle["dsseEnvelope"]["signatures"][0], "sig")
raw = bytearray(base64.b64decode(holder[name]))
raw[len(raw) // 2] ^= 1
holder[name] = base64.b64encode(raw).decode()
json.dump(bundle, open(sys.argv[2], "w"))
PYTHON
}

# push_image: an empty one to $registry; sets $image to its reference with the digest
push_image() {
  need umoci skopeo
  umoci init --layout "$scratch/layout"
  umoci new --image "$scratch/layout:v1"
  skopeo copy -q --dest-tls-verify=false "oci:$scratch/layout:v1" "docker://$registry/acme/app:v1" --digestfile "$scratch/digest"
  image=$registry/acme/app@$(< "$scratch/digest")
}

# ---- bundles that were made once -------------------------------------------------------------------

# use_samples: bundles of all forms, in $samples; sets $sigstore_go too.  They were made once: what was
# signed in time stays good.
use_samples() {
  use_nix_seed
  local key
  use_referee sigstore_go
  key=$(find "$checkout/tests/services" -maxdepth 1 -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c1-12)
  samples=$cache/samples-$key
  exec 7> "$cache/samples.lock"
  flock 7
  [[ -e $samples ]] || make_samples
  flock -u 7
  cd "$samples" || fail "there is no $samples"
}

make_samples() {
  local folder=$scratch/services
  "$checkout/tests/services/sigstore" run "$folder" "$checkout/tests/services/samples" "$folder" > "$scratch/samples.log" 2>&1 || {
    tail -n 20 "$scratch/samples.log" >&2
    fail 'no samples were made'
  }
  rm -rf "$cache"/samples-*
  mv "$folder/samples" "$samples"
}

# options_of BUNDLE: sets the array identity to options of nix-seed and cosign
options_of() {
  local builder=github-one
  case $1 in
  key-*) identity=(--key key.pub) && return ;;
  gitlab-*) builder=gitlab-one ;;
  dsse-v2-proof.*) builder=github-two ;;
  esac
  identity=(--certificate-identity "$(jq -r --arg name "$builder" '.[$name].san' builders.json)"
    --certificate-oidc-issuer "$(jq -r --arg name "$builder" '.[$name].issuer' builders.json)")
  case $1 in
  email-*) identity=(--certificate-identity someone@example.invalid --certificate-oidc-issuer "${identity[3]%/*}/email") ;;
  esac
}

# ---- a TUF repository --------------------------------------------------------------------------------

# serve_tuf_repository TARGET...: python-tuf makes one of these files in $tuf; it is at $tuf_mirror then, and the root to
# start from is $scratch/root.json
serve_tuf_repository() {
  local key python port
  key=$(sha256sum < "$checkout/tests/integration/tuf_requirements.txt" | cut -c1-12)
  python=$cache/tuf-$key/bin/python
  mkdir -p "$cache"
  exec 7> "$cache/tuf.lock"
  flock 7
  [[ -e $cache/tuf-$key/done ]] || install_tuf "$cache/tuf-$key"
  flock -u 7
  tuf=$scratch/tuf
  mkdir -p "$tuf"
  "$python" "$checkout/tests/integration/tuf_repository" "$tuf" "$@" ||
    fail 'no repository was made'
  cp "$tuf/1.root.json" "$scratch/root.json"
  port=$(free_port)
  python3 -u -m http.server --bind 127.0.0.1 --directory "$tuf" "$port" > "$scratch/tuf.log" 2>&1 &
  started+=("$!")
  wait_for_port "$port" || fail 'the server did not start'
  tuf_mirror=http://127.0.0.1:$port
}

install_tuf() {
  need_packages python3-venv
  warn '  installing python-tuf'
  rm -rf "$1"
  { /usr/bin/python3 -m venv "$1" && "$1/bin/pip" install -q -r "$checkout/tests/integration/tuf_requirements.txt"; } > "$scratch/pip.log" 2>&1 || {
    tail -n 5 "$scratch/pip.log" >&2
    skip "python-tuf can't be installed; it needs PyPI"
  }
  touch "$1/done"
}
