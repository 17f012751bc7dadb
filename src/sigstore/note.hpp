#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "sigstore/keys.hpp"

namespace seed::sigstore {

struct NoteSignature {
  std::string name;
  Bytes hint;  ///< four bytes
  Bytes signature;

  bool operator==(const NoteSignature&) const = default;
};

/// C2SP signed-note: a text and who signed it. Lines by others than the log, such as witnesses,
/// stay here unjudged.
struct SignedNote {
  std::string text;  ///< with its last newline: what is signed
  std::vector<NoteSignature> signatures;

  bool operator==(const SignedNote&) const = default;
};

/// Throws FormatError.
SignedNote parse_note(std::string_view note);
std::string to_string(const SignedNote& note);

/// C2SP tlog-checkpoint: the text of a log's note.
struct Checkpoint {
  std::string origin;
  std::int64_t size = 0;
  Digest root;
};

/// Throws FormatError.
Checkpoint parse_checkpoint(std::string_view text);

/// Whether a line by `name` with this `hint` is there and is the key's. Throws IntegrityError where
/// such a line is there and is not: the note was changed.
bool is_signed_by(const SignedNote& note,
                  std::string_view name,
                  ByteView hint,
                  const PublicKey& key);

/// The id of a log's key in notes; its first four bytes are the hint (C2SP signed-note; Rekor takes
/// the SHA-256 of the key for ECDSA).
Digest note_key_id(std::string_view name, const PublicKey& key);

}  // namespace seed::sigstore
