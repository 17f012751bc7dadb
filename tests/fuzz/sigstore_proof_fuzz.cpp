#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/error.hpp"
#include "sigstore/merkle.hpp"

namespace {

using seed::Bytes;
using seed::Digest;

/// Two sizes and hashes: 8 bytes each, then 32 each.
struct Input {
  std::int64_t first = 0;
  std::int64_t second = 0;
  std::vector<Bytes> hashes;
};

std::optional<Input> read(std::span<const std::byte> bytes) {
  if (bytes.size() < 16) {
    return std::nullopt;
  }
  const auto number = [&](std::size_t from) {
    std::uint64_t value = 0;
    for (const std::byte b : bytes.subspan(from, 8)) {
      value = value << 8 | std::to_integer<std::uint64_t>(b);
    }
    return static_cast<std::int64_t>(value);
  };
  Input input{number(0), number(8), {}};
  for (auto rest = bytes.subspan(16); rest.size() >= 32; rest = rest.subspan(32)) {
    input.hashes.emplace_back(rest.begin(), rest.begin() + 32);
  }
  return input;
}

template <class Check>
bool holds(Check check) {
  try {
    check();
    return true;
  } catch (const seed::IntegrityError&) {
    return false;
  }
}

}  // namespace

// No proof, whatever its sizes, leads to two roots, and none to one that is not its own.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = read(std::as_bytes(std::span(data, size)));
  if (!input) {
    return 0;
  }
  const Digest leaf = seed::sigstore::leaf_hash({});
  const Digest root =
      input->hashes.empty() ? leaf : seed::sigstore::digest_of(input->hashes.back());
  const Digest other = Digest::of(std::string_view("another root"));
  const bool included = holds([&] {
    seed::sigstore::check_inclusion(leaf, input->first, input->second, input->hashes, root);
  });
  if (included && !(input->first == 0 && input->second == 1 && input->hashes.empty())) {
    std::abort();
  }
  const bool consistent = holds([&] {
    seed::sigstore::check_consistency(input->first, root, input->second, other, input->hashes);
  });
  if (consistent) {
    std::abort();
  }
  return 0;
}
