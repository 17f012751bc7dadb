"""An OpenID Connect issuer for tests: tokens shaped as GitHub's, GitLab's and a mail provider's.

One HTTP server is three issuers, each below a path of its own (/github, /gitlab, /email), since a
certificate authority maps each issuer to one kind of claims:
  GET /KIND/.well-known/openid-configuration, /KIND/jwks
  GET /KIND/token?audience=A[&CLAIM=VALUE...]   with `Authorization: bearer SECRET`
      answers {"value": JWT}, as the URL does that GitHub gives a job; a CLAIM replaces the default,
      an empty one is left out; `lifetime` (seconds, 600 unless told; negative: expired) is no claim.
"""
import base64
import hmac
import http.server
import json
import subprocess
import time
import urllib.parse
import zlib

KINDS = ("github", "gitlab", "email")

# Five builders that share nothing, and one that shares all but the workflow with the first.
BUILDERS = {
    "github-one": ("github", {"repository": "acme/app"}),
    "github-two": ("github", {"repository": "umbrella/app", "runner_environment": "self-hosted"}),
    "github-three": ("github", {"repository": "initech/app", "event_name": "workflow_dispatch"}),
    "gitlab-one": ("gitlab", {"project_path": "hooli/app"}),
    "gitlab-two": ("gitlab", {"project_path": "tyrell/app", "runner_environment": "self-hosted"}),
    "github-one-again": ("github", {"repository": "acme/app", "workflow_file": "other.yml"}),
}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number_of(name):
    """An identifier that stays the same for a name, as those of a forge do."""
    return str(100000 + zlib.crc32(name.encode()) % 900000)


def commit_of(name):
    return f"{zlib.crc32(name.encode()):08x}" * 5


def github_claims(given):
    repository = given.get("repository", "acme/app")
    owner = repository.split("/")[0]
    ref = given.get("ref", "refs/heads/main")
    sha = given.get("sha", commit_of(repository))
    workflow_ref = f"{repository}/.github/workflows/{given.get('workflow_file', 'build.yml')}@{ref}"
    return {
        "sub": f"repo:{repository}:ref:{ref}",
        "event_name": "push",
        "sha": sha,
        "ref": ref,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "workflow": "build",
        "workflow_ref": workflow_ref,
        "workflow_sha": sha,
        "job_workflow_ref": workflow_ref,
        "job_workflow_sha": sha,
        "repository": repository,
        "repository_id": number_of(repository),
        "repository_owner": owner,
        "repository_owner_id": number_of(owner),
        "repository_visibility": "public",
        "run_id": "4242",
        "run_number": "7",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
    }


def gitlab_claims(given):
    project = given.get("project_path", "acme/app")
    namespace = project.rpartition("/")[0]
    ref, ref_type = given.get("ref", "main"), given.get("ref_type", "branch")
    full_ref = f"refs/{'heads' if ref_type == 'branch' else 'tags'}/{ref}"
    sha = given.get("sha", commit_of(project))
    return {
        "sub": f"project_path:{project}:ref_type:{ref_type}:ref:{ref}",
        "namespace_id": number_of(namespace),
        "namespace_path": namespace,
        "project_id": number_of(project),
        "project_path": project,
        "project_visibility": "public",
        "pipeline_id": "4242",
        "pipeline_source": "push",
        "job_id": "777",
        "ref": ref,
        "ref_type": ref_type,
        "ref_protected": "true",
        "sha": sha,
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "ci_config_ref_uri": f"gitlab.com/{project}//.gitlab-ci.yml@{full_ref}",
        "ci_config_sha": sha,
    }


def email_claims(given):
    email = given.get("email", "someone@example.invalid")
    return {"sub": number_of(email), "email": email, "email_verified": True}


def claims_of(kind, given):
    """All claims of a token but those about itself; what is given replaces what is usual."""
    claims = {**CLAIMS[kind](given), **given}
    claims.pop("workflow_file", None)
    return {name: value for name, value in claims.items() if value != ""}


CLAIMS = {"github": github_claims, "gitlab": gitlab_claims, "email": email_claims}


def identity_of(builder, base_url):
    """What a verifier must find in a certificate of one of BUILDERS."""
    kind, given = BUILDERS[builder]
    claims = claims_of(kind, given)
    if kind == "github":
        return {
            "issuer": f"{base_url}/{kind}",
            "san": f"https://github.com/{claims['job_workflow_ref']}",
            "source_repository": f"https://github.com/{claims['repository']}",
            "repository_id": claims["repository_id"],
            "owner_id": claims["repository_owner_id"],
            "ref": claims["ref"],
            "runner_environment": claims["runner_environment"],
            "trigger": claims["event_name"],
        }
    return {
        "issuer": f"{base_url}/{kind}",
        "san": f"https://{claims['ci_config_ref_uri']}",
        "source_repository": f"https://gitlab.com/{claims['project_path']}",
        "repository_id": claims["project_id"],
        "owner_id": claims["namespace_id"],
        "ref": f"refs/heads/{claims['ref']}",
        "runner_environment": claims["runner_environment"],
        "trigger": claims["pipeline_source"],
    }


# Where a job finds in its environment what its token claims.
JOB_VARIABLES = {
    "github": {
        "GITHUB_EVENT_NAME": "event_name", "GITHUB_REF": "ref", "GITHUB_REPOSITORY": "repository",
        "GITHUB_REPOSITORY_ID": "repository_id", "GITHUB_REPOSITORY_OWNER": "repository_owner",
        "GITHUB_REPOSITORY_OWNER_ID": "repository_owner_id", "GITHUB_RUN_ATTEMPT": "run_attempt", "GITHUB_RUN_ID": "run_id",
        "GITHUB_SHA": "sha", "GITHUB_WORKFLOW": "workflow", "GITHUB_WORKFLOW_REF": "workflow_ref",
        "RUNNER_ENVIRONMENT": "runner_environment",
    },
    "gitlab": {
        "CI_COMMIT_REF_NAME": "ref", "CI_COMMIT_SHA": "sha", "CI_JOB_ID": "job_id", "CI_PIPELINE_ID": "pipeline_id",
        "CI_PIPELINE_SOURCE": "pipeline_source", "CI_PROJECT_ID": "project_id", "CI_PROJECT_PATH": "project_path",
    },
    "email": {},
}


def job_of(kind, given, base_url, secret, token):
    """The environment of a job that has such a token: GitHub's jobs ask for it, others have it."""
    claims = claims_of(kind, given)
    job = {name: str(claims[claim]) for name, claim in JOB_VARIABLES[kind].items() if claim in claims}
    if kind == "github":
        query = urllib.parse.urlencode({"api-version": "2.0", **given})
        return {**job, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com",
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{base_url}/{kind}/token?{query}", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}
    if kind == "gitlab":
        project = f"https://gitlab.com/{claims['project_path']}"
        job.update({"CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.com", "CI_PROJECT_URL": project,
                    "CI_JOB_URL": f"{project}/-/jobs/{claims['job_id']}"})
        job["CI_COMMIT_BRANCH" if claims["ref_type"] == "branch" else "CI_COMMIT_TAG"] = claims["ref"]
    return {**job, "SIGSTORE_ID_TOKEN": token}


class Issuer:
    """The key, and what is signed with it."""

    def __init__(self, key, base_url, secret):
        self.key, self.base_url, self.secret = key, base_url, secret
        modulus = subprocess.run(["openssl", "rsa", "-in", key, "-noout", "-modulus"],
                                 check=True, capture_output=True, text=True).stdout
        number = bytes.fromhex(modulus.strip().partition("=")[2])
        self.jwk = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "test",
                    "n": base64url(number), "e": "AQAB"}

    def token(self, kind, audience, given):
        now = int(time.time())
        lifetime = int(given.pop("lifetime", 600))
        claims = claims_of(kind, given)
        claims.update(iss=f"{self.base_url}/{kind}", aud=audience, iat=now - 1, nbf=now - 1, exp=now + lifetime)
        signed = ".".join(base64url(json.dumps(part).encode())
                          for part in ({"alg": "RS256", "typ": "JWT", "kid": "test"}, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key],
                                   check=True, capture_output=True, input=signed.encode()).stdout
        return f"{signed}.{base64url(signature)}"

    def answer(self, path, query, authorization):
        """The status and the JSON of one request."""
        kind, _, rest = path.lstrip("/").partition("/")
        if kind not in KINDS:
            return 404, {"error": f"issuers are {', '.join(KINDS)}"}
        url = f"{self.base_url}/{kind}"
        if rest == ".well-known/openid-configuration":
            return 200, {"issuer": url, "jwks_uri": f"{url}/jwks", "response_types_supported": ["id_token"],
                         "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}
        if rest == "jwks":
            return 200, {"keys": [self.jwk]}
        if rest != "token":
            return 404, {"error": "there is nothing here"}
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(secret.encode(), self.secret.encode()):
            return 401, {"error": "the request token is wrong or missing"}
        given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        given.pop("api-version", None)
        return 200, {"value": self.token(kind, given.pop("audience", self.base_url), given)}


def handler_of(issuer):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path, _, query = self.path.partition("?")
            status, value = issuer.answer(path, query, self.headers.get("Authorization"))
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form, *values):
            """A request's path may name claims, and is nobody's business."""

    return Handler
