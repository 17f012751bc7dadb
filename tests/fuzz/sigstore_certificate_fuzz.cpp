#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/certificate.hpp"
#include "sigstore/sct.hpp"

// Whatever a certificate's bytes are, reading all that is read of one ends in a value or a refusal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seed::sigstore;
  const auto quietly = [](auto read) {
    try {
      read();
    } catch (const seed::FormatError&) {
    } catch (const seed::IntegrityError&) {
    }
  };
  quietly([&] {
    const auto certificate = Certificate::parse_der(std::as_bytes(std::span(data, size)));
    if (certificate.der().size() != size ||
        Certificate::parse_pem(certificate.pem()) != certificate) {
      std::abort();
    }
    quietly([&] { certificate.key(); });
    quietly([&] { check_signing_certificate(certificate); });
    quietly([&] {
      if (signer_of(certificate).issuer.empty() || signer_of(certificate).subject.empty()) {
        std::abort();
      }
    });
    quietly([&] { check_scts(certificate, certificate, {}); });
    certificate.subject();
    certificate.serial();
  });
  return 0;
}
