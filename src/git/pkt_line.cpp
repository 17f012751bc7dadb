#include "git/pkt_line.hpp"

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::git {
namespace {

constexpr std::size_t kLengthDigits = 4;

std::size_t length_of(std::string_view digits) {
  const auto raw = from_hex(to_lower(digits));
  if (!raw) {
    throw FormatError(fmt::format("git: '{}' is no packet's length", printable(digits)));
  }
  return (std::to_integer<std::size_t>((*raw)[0]) << 8) | std::to_integer<std::size_t>((*raw)[1]);
}

}  // namespace

std::string packet(std::string_view payload) {
  if (payload.size() > kMaxPayloadBytes) {
    throw Error(fmt::format("git: a packet of {} bytes is too long", payload.size()));
  }
  return fmt::format("{:04x}", payload.size() + kLengthDigits).append(payload);
}

/// The bytes of the packet at the front of `rest`; 0 where it is not whole yet.
std::size_t PacketReader::take(std::string_view rest) {
  if (rest.size() < kLengthDigits) {
    return 0;
  }
  const std::size_t length = length_of(rest.substr(0, kLengthDigits));
  if (length < kLengthDigits) {
    if (length == 3) {
      throw FormatError("git: a packet of 3 bytes");
    }
    handler_(length == 0 ? Packet::flush : length == 1 ? Packet::delimiter : Packet::end, {});
    return kLengthDigits;
  }
  if (length > kMaxPayloadBytes + kLengthDigits) {
    throw FormatError(fmt::format("git: a packet of {} bytes", length));
  }
  if (rest.size() < length) {
    return 0;
  }
  handler_(Packet::data, rest.substr(kLengthDigits, length - kLengthDigits));
  return length;
}

void PacketReader::feed(ByteView chunk) {
  buffer_ += text_of(chunk);
  std::size_t done = 0;
  while (const std::size_t taken = take(std::string_view(buffer_).substr(done))) {
    done += taken;
  }
  buffer_.erase(0, done);
}

void PacketReader::finish() const {
  if (!buffer_.empty()) {
    throw FormatError("git: the answer ends within a packet");
  }
}

}  // namespace seed::git
