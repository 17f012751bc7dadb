#pragma once

#include <memory>

namespace seed {

/// Owns a C object from its first line: `Handle<EVP_MD_CTX, EVP_MD_CTX_free>
/// ctx{EVP_MD_CTX_new()};`
template <auto Free>
struct Deleter {
  void operator()(auto* object) const noexcept { Free(object); }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Deleter<Free>>;

}  // namespace seed
