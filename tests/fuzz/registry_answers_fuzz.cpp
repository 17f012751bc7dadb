#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/http.hpp"
#include "oci/credentials.hpp"
#include "oci/registry.hpp"

namespace seed::fuzz {
namespace {

/// Answers every request with the input: a line for each header, an empty line, the body.
class Liar final : public http::Transport {
 public:
  explicit Liar(std::string_view input) {
    while (!input.empty()) {
      const std::size_t end = input.find('\n');
      const std::string_view line = input.substr(0, end);
      input.remove_prefix(end == input.npos ? input.size() : end + 1);
      const std::size_t colon = line.find(':');
      if (colon == line.npos) {
        break;
      }
      headers_.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
    }
    body_ = input;
  }

  http::Response send(const http::Request& request) override {
    constexpr int kMaxRequests = 30;
    if (++requests_ > kMaxRequests) {
      throw NetworkError("that is enough");
    }
    http::Response response{.status = 200, .headers = headers_, .body = {}};
    if (!request.headers.get("Authorization") && headers_.get("WWW-Authenticate") &&
        request.url.starts_with("https://registry.test/")) {
      response.status = 401;
    } else if (request.into) {
      request.into(response)(bytes_of(body_));
      return response;
    }
    response.body = body_;
    response.body_size_bytes = body_.size();
    return response;
  }

 private:
  http::Headers headers_;
  std::string body_;
  int requests_ = 0;
};

class Nobody final : public oci::CredentialSource {
 public:
  std::optional<oci::Credential> find(const std::string&, const std::string&) override {
    return std::nullopt;
  }
};

template <class Ask>
void ask(std::string_view input, Ask&& question) {
  Liar transport(input);
  Nobody nobody;
  const auto repository =
      oci::open_registry(oci::Reference::parse("registry.test/acme/app"), transport, nobody, {});
  try {
    question(*repository);
  } catch (const Error&) {
  }
}

}  // namespace
}  // namespace seed::fuzz

// Whatever a registry says, the client ends with an Error or with what it asked for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seed;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Digest digest = Digest::of("a");
  fuzz::ask(input, [](oci::Repository& repository) {
    for (const std::string& tag : repository.tags()) {
      oci::check_tag(tag);
    }
  });
  fuzz::ask(input, [](oci::Repository& repository) {
    const auto manifest = repository.get_manifest("latest");
    if (manifest && Digest::of(manifest->bytes) != manifest->descriptor.digest) {
      std::abort();
    }
  });
  fuzz::ask(input, [&](oci::Repository& repository) { repository.head_manifest(digest); });
  fuzz::ask(input, [&](oci::Repository& repository) { repository.referrers(digest, ""); });
  fuzz::ask(input, [&](oci::Repository& repository) {
    repository.put_blob(oci::describe("text/plain", "a"), std::string_view("a"));
  });
  return 0;
}
