#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.hpp"

namespace seed::oci {

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (distribution-spec, "Pulling manifests"). Throws
/// FormatError.
void check_tag(std::string_view tag);

/// Where an image is: `HOST[:PORT]/NAME[:TAG][@DIGEST]`, or an image layout directory
/// `oci:PATH[:TAG][@DIGEST]`. `docker://` before a host is allowed.
class Reference {
 public:
  /// Throws FormatError naming what is wrong; upper case in NAME says so.
  static Reference parse(std::string_view text);

  bool is_layout() const { return !layout_path_.empty(); }

  const std::string& layout_path() const { return layout_path_; }

  const std::string& host() const { return host_; }  ///< with the port

  const std::string& name() const { return name_; }  ///< the repository, no host

  const std::optional<std::string>& tag() const { return tag_; }

  const std::optional<Digest>& digest() const { return digest_; }

  Reference with_tag(std::string_view tag) const;     ///< and no digest
  Reference with_digest(const Digest& digest) const;  ///< and no tag
  std::string repository() const;                     ///< without tag and digest
  std::string to_string() const;

 private:
  std::string layout_path_;
  std::string host_;
  std::string name_;
  std::optional<std::string> tag_;
  std::optional<Digest> digest_;
};

}  // namespace seed::oci
