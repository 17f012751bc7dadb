#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "sigstore/note.hpp"

namespace seed::sigstore {

/// C2SP tlog-cosignature: somebody who watches logs, and signs the checkpoints of those that only
/// grow. Of its two kinds of key, Ed25519 (cosignature/v1).
struct Witness {
  std::string name;
  Bytes hint;  ///< four bytes
  PublicKey key;
};

/// A verifier key, NAME+HINT+BASE64 (C2SP signed-note). Throws FormatError.
Witness parse_witness(std::string_view vkey);

/// One verifier key on each line; empty lines and those that begin with # are left out. Throws
/// FormatError, also where a key or a name is there twice: no witness counts for two.
std::vector<Witness> parse_witnesses(std::string_view text);

/// That the log was consistent, as far as the witness had seen it by then.
struct Cosignature {
  std::string witness;
  Time time;
};

/// Who of the witnesses has signed the note, each once, in their order. Lines by others are not
/// looked at. Throws IntegrityError where a line is a witness's and not over this note.
std::vector<Cosignature> cosignatures_of(const SignedNote& note,
                                         std::span<const Witness> witnesses);

}  // namespace seed::sigstore
