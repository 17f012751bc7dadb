#include "sigstore/chain.hpp"

#include <algorithm>
#include <mutex>
#include <span>

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore {
namespace {

using Store = Handle<X509_STORE, X509_STORE_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using Stack =
    std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * s) { sk_X509_free(s); })>;

/// RFC 5280 §6 but for the time, which is whenever a signature was made and no clock's. Neither the
/// machine's anchors nor anything that would have to be fetched takes part.
void verify_path(const Certificate& leaf,
                 const Certificate& anchor,
                 std::span<const Certificate> between) {
  const Store store{X509_STORE_new()};
  const StoreContext context{X509_STORE_CTX_new()};
  const Stack untrusted{sk_X509_new_null()};
  if (!store || !context || !untrusted || X509_STORE_add_cert(store.get(), anchor.handle()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf.handle(), untrusted.get()) != 1) {
    throw Error("checking a certificate: OpenSSL failed");
  }
  for (const Certificate& certificate : between) {
    if (sk_X509_push(untrusted.get(), certificate.handle()) <= 0) {
      throw Error("checking a certificate: out of memory");
    }
  }
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  const bool good = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (!good) {
    throw IntegrityError(
        fmt::format("the certificate '{}' does not lead to '{}': {}",
                    leaf.subject(),
                    anchor.subject(),
                    X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))));
  }
}

bool has_name_constraints(const Certificate& certificate) {
  return X509_get_ext_by_NID(certificate.handle(), NID_name_constraints, -1) >= 0;
}

/// RFC 5280 §4.2.1.12: an authority with extended key usages issues for these alone.
void check_usage(const Certificate& authority, Purpose purpose) {
  const std::uint32_t wanted = purpose == Purpose::code_signing ? XKU_CODE_SIGN : XKU_TIMESTAMP;
  const std::uint32_t usage = X509_get_extended_key_usage(authority.handle());
  if ((X509_get_extension_flags(authority.handle()) & EXFLAG_XKUSAGE) != 0 &&
      (usage & (wanted | XKU_ANYEKU)) == 0) {
    throw IntegrityError(
        fmt::format("the authority '{}' may not issue for {}",
                    authority.subject(),
                    purpose == Purpose::code_signing ? "codeSigning" : "timeStamping"));
  }
}

std::optional<std::string> invalid(const Certificate& certificate, Time time) {
  if (time < certificate.not_before() || certificate.not_after() < time) {
    return fmt::format("the certificate '{}' is good from {} to {}, not at {}",
                       certificate.subject(),
                       to_rfc3339(certificate.not_before()),
                       to_rfc3339(certificate.not_after()),
                       to_rfc3339(time));
  }
  return std::nullopt;
}

}  // namespace

struct Chain::State {
  explicit State(std::vector<Certificate> chain)
      : certificates(std::move(chain)),
        upward(certificates.size()),
        own_leaves(certificates.size()) {}

  std::vector<Certificate> certificates;
  std::mutex mutex;
  /// Why a check did not hold; "": it did. Absent: not made yet. Signatures of P-384 take most of a
  /// millisecond, and these are the same for every bundle.
  using Outcome = std::optional<std::string>;
  std::vector<Outcome> upward;      ///< the path from this certificate to the anchor
  std::vector<Outcome> own_leaves;  ///< this certificate as a leaf under its issuer

  template <class Check>
  void once(Outcome& outcome, Check check);
  void check_upward(std::size_t from);
  void check_leaf(const Certificate& leaf, std::size_t issuer);
};

template <class Check>
void Chain::State::once(Outcome& outcome, Check check) {
  const std::lock_guard lock(mutex);
  if (!outcome) {
    try {
      check();
      outcome = "";
    } catch (const IntegrityError& error) {
      outcome = error.message();
    }
  }
  if (!outcome->empty()) {
    throw IntegrityError(*outcome);
  }
}

void Chain::State::check_upward(std::size_t from) {
  once(upward[from], [&] {
    verify_path(certificates[from],
                certificates.back(),
                std::span(certificates).subspan(from + 1, certificates.size() - from - 2));
    // Seen from below `from`, which is no end entity, one more certificate counts.
    for (std::size_t i = from; i < certificates.size(); ++i) {
      const long limit = X509_get_pathlen(certificates[i].handle());
      if (limit >= 0 && static_cast<std::size_t>(limit) < i - from) {
        throw IntegrityError(fmt::format(
            "the authority '{}' allows a path of {} below it", certificates[i].subject(), limit));
      }
    }
  });
}

/// A leaf of the chain's own, as time-stamp authorities have it, comes with every timestamp.
void Chain::State::check_leaf(const Certificate& leaf, std::size_t issuer) {
  const auto own = std::ranges::find(certificates, leaf);
  if (own == certificates.end()) {
    return verify_path(leaf, certificates[issuer], {});
  }
  once(own_leaves[static_cast<std::size_t>(own - certificates.begin())],
       [&] { verify_path(leaf, certificates[issuer], {}); });
}

Chain::Chain(std::vector<Certificate> certificates) {
  if (certificates.empty() || certificates.size() > kMaxChain) {
    throw FormatError(fmt::format(
        "a chain of {} certificates instead of 1 to {}", certificates.size(), kMaxChain));
  }
  state_ = std::make_shared<State>(std::move(certificates));
}

const std::vector<Certificate>& Chain::certificates() const {
  return state_->certificates;
}

const Certificate& Chain::issuer_of(const Certificate& leaf, Purpose purpose) const {
  const auto& all = certificates();
  std::size_t index = 0;
  while (index < all.size() && X509_check_issued(all[index].handle(), leaf.handle()) != X509_V_OK) {
    ++index;
  }
  if (index == all.size()) {
    throw IntegrityError("the authority's certificates did not issue it");
  }
  for (std::size_t i = index; i < all.size(); ++i) {
    check_usage(all[i], purpose);
  }
  const auto above = std::span(all).subspan(index);
  if (above.size() > 1 && std::ranges::any_of(above.subspan(1), has_name_constraints)) {
    // They are about the leaf's names: every step has to be seen at once.
    verify_path(leaf, all.back(), above.first(above.size() - 1));
  } else {
    if (above.size() > 1) {
      state_->check_upward(index);
    }
    state_->check_leaf(leaf, index);
  }
  return all[index];
}

std::optional<std::string> Chain::invalid_at(Time time,
                                             const Certificate& leaf,
                                             const Certificate& issuer) const {
  if (auto why = invalid(leaf, time)) {
    return why;
  }
  const auto& all = certificates();
  const auto first = std::ranges::find(all, issuer);
  for (auto at = first; at != all.end(); ++at) {
    if (auto why = invalid(*at, time)) {
      return why;
    }
  }
  return first == all.end() ? std::optional<std::string>("its issuer is not of this chain")
                            : std::nullopt;
}

}  // namespace seed::sigstore
