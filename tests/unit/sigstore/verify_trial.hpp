#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sigstore/verify.hpp"
#include "support/fake_sigstore.hpp"

namespace seed::sigstore {

inline constexpr std::string_view kPredicate = "https://slsa.dev/provenance/v1";

/// A good bundle and all that it is verified with, before one thing is broken.
struct Trial {
  test::FakeSigstore sigstore = fresh();
  test::Order order = good_order();
  Expectation expected = good_expectation();
  std::function<void(Bundle&)> after;  ///< changes what was made
  std::function<void(TrustedRoot&)> at_root;
  std::function<void(std::string&)> at_text;

  /// Its keys are made once: the copies differ in what happens to them.
  static test::FakeSigstore fresh() {
    static const test::FakeSigstore kFirst;
    return kFirst;
  }

  static test::Order good_order() {
    test::Order order;
    order.statement = test::statement_about("artifact", kPredicate);
    order.signer = test::acme();
    return order;
  }

  static Expectation good_expectation() {
    Expectation expected;
    expected.artifact = Artifact{Digest::of(std::string_view("artifact")), std::nullopt};
    expected.identities = {test::acme_identity()};
    expected.predicate_type = kPredicate;
    return expected;
  }

  Verdict run() {
    Bundle bundle = sigstore.bundle(order);
    if (after) {
      after(bundle);
    }
    std::string text = to_json(bundle);
    if (at_text) {
      at_text(text);
    }
    TrustedRoot root = sigstore.trusted_root();
    if (at_root) {
      at_root(root);
    }
    return verify(text, root, expected);
  }
};

/// One thing that is wrong, the check that must see it, and words of its refusal.
struct Breakage {
  std::string name;
  Check check;
  std::string why;
  std::function<void(Trial&)> break_it;
};

/// Ways to break one: the bundle after it was made, its first entry, its text, and an extension of
/// the certificate before it is signed (no value: none).
std::function<void(Trial&)> after(std::function<void(Bundle&)> change);
std::function<void(Trial&)> at_entry(std::function<void(LogEntry&)> change);
std::function<void(Trial&)> text(const std::string& from, const std::string& to);
std::function<void(Trial&)> extension(const std::string& name, const std::string& value);
void flip(Bytes& bytes);  ///< one bit of the last byte

/// Other kinds of bundles than the good order's.
void by_key(Trial& trial);
void as_message(Trial& trial);
void as_rekor2(Trial& trial);

DsseEnvelope& envelope(Bundle& bundle);
/// A bundle of the same order, signed and logged anew.
Bundle another(Trial& trial);

/// Each breakage is refused by its own check for its own reason, after those before it held.
void check_breakages(const std::vector<Breakage>& breakages);

}  // namespace seed::sigstore
