#include "nix/nar.hpp"

#include <array>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

/// Small strings are gathered up to here, so that SHA-256 sees few and large updates.
constexpr std::size_t kBufferBytes = 64 << 10;
constexpr std::uint64_t kAlign = 8;

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace

void NarHasher::put_length(std::uint64_t length) {
  std::array<char, 8> little_endian;
  for (char& byte : little_endian) {
    byte = static_cast<char>(length & 0xff);
    length >>= 8;
  }
  buffer_.append(little_endian.data(), little_endian.size());
}

void NarHasher::put_padding(std::uint64_t size_bytes) {
  buffer_.append(static_cast<std::size_t>((kAlign - size_bytes % kAlign) % kAlign), '\0');
}

void NarHasher::put(std::string_view text) {
  put_length(text.size());
  buffer_ += text;
  put_padding(text.size());
  if (buffer_.size() >= kBufferBytes) {
    flush();
  }
}

void NarHasher::flush() {
  hash_.update(buffer_);
  buffer_.clear();
}

void NarHasher::begin_node(std::string_view path) {
  if (path.empty()) {
    started_ = true;
    put("nix-archive-1");
  } else {
    for (const std::string_view text :
         {std::string_view("entry"), std::string_view("("), std::string_view("name")}) {
      put(text);
    }
    put(last_part(path));
    put("node");
  }
  put("(");
  put("type");
}

void NarHasher::end_node(std::string_view path) {
  put(")");
  if (!path.empty()) {
    put(")");
  }
}

void NarHasher::enter_directory(std::string_view path) {
  begin_node(path);
  put("directory");
}

void NarHasher::leave_directory(std::string_view path) {
  end_node(path);
}

void NarHasher::symlink(std::string_view path, std::string_view target) {
  begin_node(path);
  put("symlink");
  put("target");
  put(target);
  end_node(path);
}

void NarHasher::begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) {
  begin_node(path);
  put("regular");
  if (executable) {
    put("executable");
    put("");
  }
  put("contents");
  put_length(size_bytes);
  file_path_ = path;
  file_size_ = size_bytes;
  file_left_ = size_bytes;
}

void NarHasher::file_data(ByteView chunk) {
  if (chunk.size() > file_left_) {
    throw Error(fmt::format(
        "'{}' has more than the {} bytes that were announced", printable(file_path_), file_size_));
  }
  file_left_ -= chunk.size();
  if (buffer_.size() + chunk.size() < kBufferBytes) {
    buffer_ += text_of(chunk);
    return;
  }
  flush();
  hash_.update(chunk);
}

void NarHasher::end_file() {
  if (file_left_ != 0) {
    throw Error(fmt::format(
        "'{}' has {} bytes less than were announced", printable(file_path_), file_left_));
  }
  put_padding(file_size_);
  end_node(file_path_);
}

NarHasher::Result NarHasher::finish() {
  if (!started_) {
    throw Error("hashing a tree: nothing was visited");
  }
  started_ = false;
  flush();
  const std::uint64_t size_bytes = hash_.size_bytes();
  return {hash_.finish(), size_bytes};
}

}  // namespace seed::nix
