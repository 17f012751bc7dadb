#include "image/tar.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::image {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kBufferBytes = 128 << 10;
/// Data in chunks of at least this size goes to the sink without being copied.
constexpr std::size_t kDirectBytes = 64 << 10;
/// What eleven octal digits hold: 8 GiB - 1.
constexpr std::uint64_t kMaxUstarSize = (std::uint64_t{1} << 33) - 1;
/// POSIX lets us choose; GNU tar's own choice has the process id in it.
constexpr std::string_view kPaxName = "PaxHeaders/entry";
constexpr std::array<std::byte, 2 * kBlock> kZeros{};

/// pax(1), "ustar Interchange Format": a 512-byte block with fields at fixed offsets.
struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char unused[12];
};

static_assert(sizeof(Header) == kBlock);

struct Split {
  std::string_view prefix;
  std::string_view name;
};

/// How a path fits `prefix` and `name`: the shortest prefix that leaves a name short enough.
std::optional<Split> split_path(std::string_view path) {
  if (path.size() <= sizeof(Header::name)) {
    return Split{{}, path};
  }
  // A folder's trailing slash belongs to its name and is no place to split.
  const std::size_t slash = path.find('/', path.size() - sizeof(Header::name) - 1);
  if (slash == path.npos || slash + 1 >= path.size() || slash > sizeof(Header::prefix)) {
    return std::nullopt;
  }
  return Split{path.substr(0, slash), path.substr(slash + 1)};
}

template <std::size_t Size>
void copy(char (&field)[Size], std::string_view text) {
  text.copy(field, Size);  // of empty text there may be no data to give to memcpy
}

/// Octal digits that fill the field but for a NUL at its end.
template <std::size_t Size>
void octal(char (&field)[Size], std::uint64_t value) {
  for (std::size_t i = Size - 1; i-- > 0; value >>= 3) {
    field[i] = static_cast<char>('0' + (value & 7));
  }
}

Header make_header(
    Split path, char type, std::uint32_t mode, std::uint64_t size_bytes, std::string_view link) {
  Header header{};
  copy(header.name, path.name);
  copy(header.prefix, path.prefix);
  octal(header.mode, mode & 07777);
  octal(header.uid, 0);
  octal(header.gid, 0);
  octal(header.size, size_bytes);
  octal(header.mtime, 1);
  header.type = type;
  copy(header.link, link);
  copy(header.magic, "ustar");
  copy(header.version, "00");
  octal(header.device_major, 0);
  octal(header.device_minor, 0);
  std::memset(header.checksum, ' ', sizeof header.checksum);
  unsigned sum = 0;
  for (const std::byte byte : std::as_bytes(std::span(&header, 1))) {
    sum += std::to_integer<unsigned>(byte);
  }
  // Six digits, NUL, blank.
  char digits[7]{};
  octal(digits, sum);
  std::memcpy(header.checksum, digits, sizeof digits);
  return header;
}

/// "25 ctime=1084839148.1212\n": the length counts its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) {
    length = rest + std::to_string(length).size();
  }
  return fmt::format("{} {}={}\n", length, key, value);
}

void check_path(std::string_view path) {
  const auto parts = split(path, '/');
  if (path.find('\0') != path.npos || std::ranges::any_of(parts, [](std::string_view part) {
        return part.empty() || part == "." || part == "..";
      })) {
    throw Error(fmt::format("'{}' is no path for a layer", printable(path)));
  }
}

}  // namespace

TarWriter::TarWriter(Sink sink, Sink headers)
    : sink_(std::move(sink)), headers_(std::move(headers)) {
  buffer_.reserve(kBufferBytes);
}

void TarWriter::flush() {
  if (!buffer_.empty()) {
    sink_(buffer_);
    buffer_.clear();
  }
}

void TarWriter::put(ByteView bytes) {
  size_bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes || bytes.size() >= kDirectBytes) {
    flush();
    if (bytes.size() >= kDirectBytes) {
      sink_(bytes);
      return;
    }
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void TarWriter::put_header(ByteView bytes) {
  put(bytes);
  if (headers_) {
    headers_(bytes);
  }
}

/// Zeros up to the next block.
ByteView TarWriter::padding() const {
  return ByteView(kZeros).first((kBlock - size_bytes_ % kBlock) % kBlock);
}

void TarWriter::header(std::string_view path,
                       char type,
                       std::uint32_t mode,
                       std::uint64_t size_bytes,
                       std::string_view link) {
  std::string records;
  const auto fit = split_path(path);
  if (link.size() > sizeof(Header::link)) {
    records += pax_record("linkpath", link);
  }
  if (!fit) {
    records += pax_record("path", path);
  }
  if (size_bytes > kMaxUstarSize) {
    records += pax_record("size", std::to_string(size_bytes));
  }
  if (!records.empty()) {
    const Header pax = make_header({{}, kPaxName}, 'x', 0644, records.size(), {});
    put_header(std::as_bytes(std::span(&pax, 1)));
    put_header(bytes_of(records));
    put_header(padding());
  }
  const Header main = make_header(
      fit.value_or(Split{{}, path}), type, mode, size_bytes > kMaxUstarSize ? 0 : size_bytes, link);
  put_header(std::as_bytes(std::span(&main, 1)));
}

void TarWriter::directory(std::string_view path, std::uint32_t mode) {
  check_path(path);
  header(std::string(path) + "/", '5', mode, 0, {});
}

void TarWriter::symlink(std::string_view path, std::string_view target) {
  check_path(path);
  if (target.empty() || target.find('\0') != target.npos) {
    throw Error(fmt::format("link '{}' has no target", printable(path)));
  }
  header(path, '2', 0777, 0, target);
}

void TarWriter::file(std::string_view path, std::uint32_t mode, std::string_view content) {
  begin_file(path, mode, content.size());
  file_data(bytes_of(content));
  end_file();
}

void TarWriter::begin_file(std::string_view path, std::uint32_t mode, std::uint64_t size_bytes) {
  check_path(path);
  header(path, '0', mode, size_bytes, {});
  file_rest_ = size_bytes;
}

void TarWriter::file_data(ByteView chunk) {
  if (chunk.size() > file_rest_) {
    throw Error("a file has more bytes than its size said");
  }
  file_rest_ -= chunk.size();
  put(chunk);
}

void TarWriter::end_file() {
  if (file_rest_ != 0) {
    throw Error(fmt::format("a file ended {} bytes before its size", file_rest_));
  }
  put(padding());
}

void TarWriter::finish() {
  put_header(kZeros);
  flush();
}

std::string TarTree::name_of(std::string_view path) const {
  if (path.empty()) {
    return prefix_;
  }
  if (path.substr(path.rfind('/') + 1).starts_with(".wh.")) {
    throw Error(
        fmt::format(
            "'{}/{}' would delete a file where the layer is unpacked", prefix_, printable(path)),
        "names that start with '.wh.' can't be in an OCI layer; leave the path out");
  }
  return fmt::format("{}/{}", prefix_, path);
}

void TarTree::enter_directory(std::string_view path) {
  tar_.directory(name_of(path), 0555);
}

void TarTree::symlink(std::string_view path, std::string_view target) {
  tar_.symlink(name_of(path), target);
}

void TarTree::begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) {
  tar_.begin_file(name_of(path), executable ? 0555 : 0444, size_bytes);
}

}  // namespace seed::image
