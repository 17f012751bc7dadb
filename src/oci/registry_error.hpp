#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace seed::oci {

/// distribution-spec, "Error Codes"
struct RegistryError {
  std::string code;
  std::string message;
  bool operator==(const RegistryError&) const = default;
};

/// What a registry says in the body of a 4xx or 5xx; nothing where it is of another form. At most
/// 16 of them.
std::vector<RegistryError> parse_registry_errors(std::string_view body);

bool has_code(const std::vector<RegistryError>& errors, std::string_view code);

/// For messages: "DENIED: requested access is denied", or the first line of a plain body.
std::string describe_errors(std::string_view body);

}  // namespace seed::oci
