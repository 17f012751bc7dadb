# shellcheck shell=bash disable=SC2034,SC2154
# Five builders, each with an identity of its own at Sigstore's services on the loopback.

builders=(github-one github-two github-three gitlab-one gitlab-two)
commit=$(printf 'c%.0s' {1..40})

field() { jq -er --arg name "$1" --arg field "$2" '.[$name][$field]' "$services/builders.json"; }

# policy FILE QUORUM: all five builders; the logs are those of the trusted root
policy() {
  local builder entries='{}'
  for builder in "${builders[@]}"; do
    entries=$(jq --arg name "$builder" --arg issuer "$(field "$builder" issuer)" --arg san "$(field "$builder" san)" \
      --arg id "$(field "$builder" repository_id)" --arg master "$builder" \
      '.[$name] = {issuer: $issuer, identity: $san, repositoryId: $id, master: ($name == "github-one")}' <<< "$entries")
  done
  jq -n --argjson builders "$entries" --argjson quorum "$2" --slurpfile root "$SERVICES_TRUSTED_ROOT" --argjson more "${3:-{\}}" \
    '{trust: "credulous", builders: $builders, rekor: {quorum: $quorum, deadline: "3s",
      logs: [$root[0].tlogs[].baseUrl | sub("^http://rekor"; "https://rekor")]}} * $more' > "$1"
}

# attest BUILDER DIGEST CLOSURE [VERSIONS]: into $scratch/BUILDER.json
attest() {
  jq -cn --arg digest "${2#sha256:}" --arg closure "$(sha256sum < "$3" | cut -c1-64)" --arg san "$(field "$1" san)" \
    --arg source "$(field "$1" source_repository)" --arg commit "$commit" --arg system "${system:-x86_64-linux}" \
    '{_type: "https://in-toto.io/Statement/v1", predicateType: "https://slsa.dev/provenance/v1",
      subject: [{name: "app", digest: {sha256: $digest}}, {name: "closure", digest: {sha256: $closure}}],
      predicate: {buildDefinition: {buildType: "https://github.com/0compute/nix-seed/blob/main/docs/provenance.md#seed-v1",
          externalParameters: {commit: $commit, source: $source, system: $system},
          resolvedDependencies: [{name: "source", uri: ("git+" + $source), digest: {gitCommit: $commit}}]},
        runDetails: {builder: {id: $san}}}}' > "$scratch/$1.statement"
  (
    eval "$("$checkout/tests/services/sigstore" job "$services" "$1" "sha=$commit")"
    "$nix_seed" bundle sign --in-toto --rekor "${4:-1}" --bundle "$scratch/$1.json" --trusted-root "$SERVICES_TRUSTED_ROOT" \
      --signing-config "$SERVICES_SIGNING_CONFIG_V2" "$scratch/$1.statement"
  ) > "$scratch/sign.log" 2>&1 || show_end "$scratch/sign.log" "$1 did not sign"
}

promote() {
  "$nix_seed" promote "oci:$scratch/build@$digest" --trusted-root "$SERVICES_TRUSTED_ROOT" --sign never "$@"
}

bundles_of() {
  local builder files=''
  for builder in "$@"; do files+="$scratch/$builder.json "; done
  echo "$files"
}

use_builders() {
  use_nix_seed
  use_services
  export NIX_SEED_CACHE=$scratch/cache
  printf 'sha256:%s  /nix/store/%s-app\n' aaaa 00000000000000000000000000000000 > "$scratch/closure"
  digest=$("$checkout/tests/integration/image_layout" "$scratch/build" v1 "$scratch/closure")
}
