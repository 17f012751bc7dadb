#include "sigstore/timestamp_client.hpp"

#include <algorithm>

#include <sys/random.h>

#include <fmt/core.h>

#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/exchange.hpp"
#include "sigstore/timestamp.hpp"

namespace seed::sigstore {
namespace {

constexpr std::string_view kService = "the timestamp authority";
constexpr std::string_view kQuery = "application/timestamp-query";
constexpr std::string_view kReply = "application/timestamp-reply";

void append(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// Tag, length and value; ours are all shorter than 128 bytes.
Bytes der(unsigned char tag, ByteView value) {
  Bytes out{static_cast<std::byte>(tag), static_cast<std::byte>(value.size())};
  append(out, value);
  return out;
}

/// Positive, and all of its bytes count: DER has one form for it then, and so does hexadecimal.
TimestampNonce fresh_nonce() {
  TimestampNonce nonce{};
  if (::getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size())) {
    throw Error("this machine gives no random numbers");
  }
  nonce.front() = (nonce.front() & std::byte{0x3f}) | std::byte{0x40};
  return nonce;
}

}  // namespace

Bytes timestamp_request(ByteView signature, const TimestampNonce& nonce) {
  constexpr unsigned char kSequence = 0x30;
  constexpr unsigned char kInteger = 0x02;
  constexpr unsigned char kOctets = 0x04;
  // id-sha256 with its NULL parameter (RFC 8017, A.2.4; RFC 3161 asks for no other form).
  constexpr std::string_view kSha256{"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00",
                                     15};
  Bytes imprint(bytes_of(kSha256).begin(), bytes_of(kSha256).end());
  append(imprint, der(kOctets, Digest::of(signature).raw()));
  const std::array<std::byte, 1> version{std::byte{1}};
  Bytes request = der(kInteger, version);
  append(request, der(kSequence, imprint));
  append(request, der(kInteger, nonce));
  return der(kSequence, request);
}

void check_timestamp_reply(ByteView reply, ByteView signature, const TimestampNonce& nonce) {
  const TimestampFacts facts = parse_timestamp(reply);
  if (facts.nonce != to_hex(nonce)) {
    throw FormatError("the timestamp is not an answer to this request: its nonce is another");
  }
  if (facts.algorithm != Hash::sha256 ||
      !std::ranges::equal(facts.imprint, Digest::of(signature).raw())) {
    throw FormatError("the timestamp is not about this signature: its imprint is another");
  }
}

Bytes request_timestamp(http::Transport& transport, std::string_view url, ByteView signature) {
  const TimestampNonce nonce = fresh_nonce();
  http::Request request = post_request(
      std::string(url), kQuery, std::string(text_of(timestamp_request(signature, nonce))));
  request.headers.set("Accept", std::string(kReply));
  const http::Response response = transport.send(request);
  if (response.status != 200 && response.status != 201) {
    throw refusal(kService, url, response);
  }
  check_content_type(kService, url, response, kReply);
  const ByteView reply = bytes_of(response.body);
  check_timestamp_reply(reply, signature, nonce);
  return {reply.begin(), reply.end()};
}

}  // namespace seed::sigstore
