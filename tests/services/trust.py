"""Keys and certificates of the services, and the two files that tell clients of them."""
import base64
import hashlib
import json
import pathlib
import subprocess
import time

CA_CONFIG = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
extendedKeyUsage = codeSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
CA_PASSWORD = "test"  # Fulcio takes no key that is not encrypted
REKOR2_NAME = "rekor2.local"  # the origin of its checkpoints, and so the host of its base URL
REKOR1_NAME = "rekor1.local"


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, input=data).stdout


def make_keys(folder):
    """All that the services sign with, except Rekor v1 and the timestamp authority, who make their own."""
    keys = pathlib.Path(folder)
    keys.mkdir()
    (keys / "ca.cnf").write_text(CA_CONFIG)
    common = ("-config", keys / "ca.cnf", "-sha384", "-days", 3650)
    openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", keys / "root.key")
    openssl("req", "-x509", "-new", "-key", keys / "root.key", "-subj", "/O=nix-seed test/CN=root",
            "-extensions", "root", *common, "-out", keys / "root.pem")
    openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", keys / "plain.key")
    openssl("req", "-new", "-key", keys / "plain.key", "-subj", "/O=nix-seed test/CN=intermediate",
            "-config", keys / "ca.cnf", "-out", keys / "intermediate.csr")
    openssl("x509", "-req", "-in", keys / "intermediate.csr", "-CA", keys / "root.pem", "-CAkey", keys / "root.key",
            "-CAcreateserial", "-extfile", keys / "ca.cnf", "-extensions", "intermediate", "-sha384", "-days", 3650,
            "-out", keys / "intermediate.pem")
    openssl("pkcs8", "-topk8", "-in", keys / "plain.key", "-passout", f"pass:{CA_PASSWORD}", "-out", keys / "ca.key")
    (keys / "plain.key").unlink()
    (keys / "ca.pem").write_text((keys / "intermediate.pem").read_text() + (keys / "root.pem").read_text())
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", keys / "ct.key")
    openssl("ec", "-in", keys / "ct.key", "-pubout", "-out", keys / "ct.pub")
    openssl("genpkey", "-algorithm", "ed25519", "-out", keys / "rekor2.key")
    openssl("pkey", "-in", keys / "rekor2.key", "-pubout", "-out", keys / "rekor2.pub")
    openssl("genrsa", "-out", keys / "issuer.key", "2048")


def base64_of(data):
    return base64.b64encode(data).decode()


def ders_of(pem):
    """The blocks of a PEM text, in order."""
    blocks, lines = [], None
    for line in pem.splitlines():
        if line.startswith("-----BEGIN "):
            lines = []
        elif line.startswith("-----END "):
            blocks.append(base64.b64decode("".join(lines)))
            lines = None
        elif lines is not None:
            lines.append(line)
    return blocks


def log_entry(url, pem, start, ed25519_name=None):
    """A transparency log as a trusted root has it."""
    der, = ders_of(pem)
    if ed25519_name:  # C2SP signed-note: name, newline, algorithm, the key's last 32 bytes
        key_id = hashlib.sha256(ed25519_name.encode() + b"\n\x01" + der[-32:]).digest()
    else:
        key_id = hashlib.sha256(der).digest()
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64_of(der),
            "keyDetails": "PKIX_ED25519" if ed25519_name else "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": start},
        },
        "logId": {"keyId": base64_of(key_id)},
    }


def authority_entry(url, pem, name, start):
    return {
        "subject": {"organization": "nix-seed test", "commonName": name},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": base64_of(der)} for der in ders_of(pem)]},
        "validFor": {"start": start},
    }


def start_time():
    """Earlier than whatever the services sign."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))


def write_trust(folder, urls):
    """trusted_root.json, and the two signing_config files, from the services' own keys."""
    folder = pathlib.Path(folder)
    keys, start = folder / "keys", start_time()
    pem = {name: (keys / name).read_text() for name in ("ca.pem", "rekor1.pub", "rekor2.pub", "ct.pub", "tsa.pem")}
    root = {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            log_entry(urls["rekor"], pem["rekor1.pub"], start),
            log_entry(f"http://{REKOR2_NAME}", pem["rekor2.pub"], start, REKOR2_NAME),
        ],
        "certificateAuthorities": [authority_entry(urls["fulcio"], pem["ca.pem"], "root", start)],
        "ctlogs": [log_entry(urls["ct"], pem["ct.pub"], start)],
        "timestampAuthorities": [authority_entry(urls["tsa"], pem["tsa.pem"], "tsa", start)],
    }
    (folder / "trusted_root.json").write_text(json.dumps(root, indent=2) + "\n")

    def service(url, version):
        return {"url": url, "majorApiVersion": version, "validFor": {"start": start}, "operator": "nix-seed.test"}

    first, second = service(urls["rekor"], 1), service(urls["rekor2"], 2)
    for name, logs in (("signing_config.json", [first]), ("signing_config_v2.json", [second, first])):
        config = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service(urls["fulcio"], 1)],
            "oidcUrls": [service(urls["github"], 1)],
            "rekorTlogUrls": logs,
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [service(urls["tsa"], 1)],
            "tsaConfig": {"selector": "ANY"},
        }
        (folder / name).write_text(json.dumps(config, indent=2) + "\n")
