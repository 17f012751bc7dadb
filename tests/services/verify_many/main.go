// usage: verify_many TRUSTED_ROOT SAN ISSUER BUNDLES DIGEST...
//
// Verifies JSON Lines of bundles by sigstore-go's library in one process, on all cores: each about the
// artifact with the SHA-256 in its place. What `nix-seed bundle verify` is measured against.
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

func main() {
	if len(os.Args) < 6 {
		fail("usage: verify_many TRUSTED_ROOT SAN ISSUER BUNDLES DIGEST...")
	}
	trusted, err := root.NewTrustedRootFromPath(os.Args[1])
	check(err)
	verifier, err := verify.NewVerifier(trusted, verify.WithSignedCertificateTimestamps(1),
		verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	check(err)
	identity, err := verify.NewShortCertificateIdentity(os.Args[3], "", os.Args[2], "")
	check(err)
	text, err := os.ReadFile(os.Args[4])
	check(err)
	lines, digests := bytes.Split(bytes.TrimSpace(text), []byte("\n")), os.Args[5:]
	if len(lines) != len(digests) {
		fail(fmt.Sprintf("%d bundles, %d digests", len(lines), len(digests)))
	}
	var next, refused atomic.Int64
	var pool sync.WaitGroup
	for range runtime.NumCPU() {
		pool.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(lines)); i = next.Add(1) - 1 {
				if err := verifyOne(verifier, identity, lines[i], digests[i]); err != nil {
					fmt.Fprintf(os.Stderr, "line %d: %v\n", i+1, err)
					refused.Add(1)
				}
			}
		})
	}
	pool.Wait()
	if refused.Load() != 0 {
		os.Exit(1)
	}
	fmt.Printf("verified: %d bundles\n", len(lines))
}

func verifyOne(verifier *verify.Verifier, identity verify.CertificateIdentity, line []byte, digest string) error {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(line); err != nil {
		return err
	}
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return err
	}
	_, err = verifier.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", raw), verify.WithCertificateIdentity(identity)))
	return err
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}
