#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace seed::git {

/// gitprotocol-common, "pkt-line Format": four hex digits of length, themselves included.
inline constexpr std::size_t kMaxPayloadBytes = 65516;

/// `end` is the response-end packet.
enum class Packet { data, flush, delimiter, end };

/// One packet of data. Throws Error where it would be too long.
std::string packet(std::string_view payload);

inline constexpr std::string_view kFlush = "0000";
inline constexpr std::string_view kDelimiter = "0001";

/// Cuts a stream into packets, however it arrives.
class PacketReader {
 public:
  /// The payload is good until the handler returns.
  using Handler = std::function<void(Packet kind, std::string_view payload)>;

  explicit PacketReader(Handler handler) : handler_(std::move(handler)) {}

  /// Throws FormatError for what is no length.
  void feed(ByteView chunk);
  /// Throws FormatError where the stream ends within a packet.
  void finish() const;

 private:
  std::size_t take(std::string_view rest);

  Handler handler_;
  std::string buffer_;
};

}  // namespace seed::git
