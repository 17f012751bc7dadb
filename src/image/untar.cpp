#include "image/untar.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::image {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxExtensionBytes = 1 << 20;
/// Far beyond any disk; sums stay below 2^63.
constexpr std::uint64_t kMaxTarBytes = std::uint64_t{1} << 62;
/// Linux: PATH_MAX and NAME_MAX. The depth bounds the folders that are open at a time.
constexpr std::size_t kMaxPath = 4095;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxDepth = 256;

/// A text field ends at its first NUL.
std::string_view text_field(std::string_view block, std::size_t offset, std::size_t size) {
  const std::string_view field = block.substr(offset, size);
  return field.substr(0, field.find('\0'));
}

/// Octal digits between blanks and NULs, or GNU's base 256 (high bit set). Zero where it is blank.
std::uint64_t number_field(std::string_view block, std::size_t offset, std::size_t size) {
  std::string_view field = block.substr(offset, size);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    for (std::size_t i = 0; i < field.size(); ++i) {
      const auto byte = static_cast<unsigned char>(i == 0 ? field[i] & 0x7f : field[i]);
      if (value >> 55 != 0) {
        throw FormatError("tar has a number that is too large");
      }
      value = value << 8 | byte;
    }
    return value;
  }
  field = field.substr(0, field.find('\0'));
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  field = field.substr(0, field.find_last_not_of(' ') + 1);
  const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value, 8);
  if (!field.empty() && (code != std::errc() || end != field.data() + field.size())) {
    throw FormatError(fmt::format("tar has '{}' where a number belongs", printable(field)));
  }
  return value;
}

void check_sum(std::string_view block) {
  std::uint64_t sum = 8 * ' ';
  for (std::size_t i = 0; i < block.size(); ++i) {
    sum += i >= 148 && i < 156 ? 0 : static_cast<unsigned char>(block[i]);
  }
  if (sum != number_field(block, 148, 8)) {
    throw FormatError("tar has a header with a wrong checksum");
  }
}

/// Without `.` and needless slashes; FormatError for what could lead anywhere else.
std::string clean_path(std::string_view path) {
  if (path.starts_with('/') || path.empty() || path.size() > kMaxPath ||
      path.find('\0') != path.npos) {
    throw FormatError(fmt::format("tar has an entry named '{}'", printable(path)));
  }
  std::string clean;
  std::size_t depth = 0;
  for (const std::string_view part : split(path, '/')) {
    if (part == ".." || part.size() > kMaxName || depth > kMaxDepth) {
      throw FormatError(fmt::format("tar has an entry named '{}'", printable(path)));
    }
    if (!part.empty() && part != ".") {
      clean += clean.empty() ? "" : "/";
      clean += part;
      ++depth;
    }
  }
  return clean;
}

std::uint64_t parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) {
    throw FormatError(fmt::format("tar has '{}' where a number belongs", printable(text)));
  }
  return value;
}

/// Takes "25 ctime=1084839148.1212\n" off the front of `text`.
std::pair<std::string_view, std::string_view> take_record(std::string_view& text) {
  const std::size_t blank = text.find(' ');
  const std::uint64_t length = parse_decimal(text.substr(0, blank));
  const std::size_t equals = text.find('=');
  if (length > text.size() || length == 0 || text[length - 1] != '\n' || equals >= length ||
      equals < blank) {
    throw FormatError("tar has a damaged PAX header");
  }
  const std::pair record(text.substr(blank + 1, equals - blank - 1),
                         text.substr(equals + 1, length - equals - 2));
  text.remove_prefix(length);
  return record;
}

bool is_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

ByteView TarReader::take(ByteView& bytes, std::uint64_t limit) {
  const ByteView taken = bytes.first(std::min<std::uint64_t>(bytes.size(), limit));
  bytes = bytes.subspan(taken.size());
  position_ += taken.size();
  return taken;
}

void TarReader::write(ByteView bytes) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::header:
        block_ += text_of(take(bytes, kBlock - block_.size()));
        if (block_.size() == kBlock) {
          header(seed::bytes_of(block_));
          block_.clear();
        }
        break;
      case State::file: {
        const ByteView data = take(bytes, rest_);
        handler_.data(data);
        rest_ -= data.size();
        if (rest_ == 0) {
          handler_.end_data();
          state_ = State::padding;
        }
        break;
      }
      case State::extension: {
        const ByteView data = take(bytes, rest_);
        extension_ += text_of(data);
        rest_ -= data.size();
        if (rest_ == 0) {
          end_extension();
          state_ = State::padding;
        }
        break;
      }
      case State::padding: {
        const ByteView zeros = take(bytes, padding_);
        if (scope_ == TarScope::seeds && !is_zero(zeros)) {
          throw FormatError("tar has content in the padding of a file");
        }
        padding_ -= zeros.size();
        break;
      }
      case State::end:
        // Writers fill their last record with zeros; anything else would be hidden from others.
        if (!is_zero(bytes)) {
          throw FormatError("tar has content after its end");
        }
        return;
    }
    if (state_ == State::padding && padding_ == 0) {
      state_ = State::header;
    }
  }
}

void TarReader::finish() {
  const bool between = (state_ == State::header && block_.empty()) || state_ == State::padding;
  if (state_ != State::end && !(between && scope_ == TarScope::any)) {
    throw FormatError("tar ends too early");
  }
}

void TarReader::header(ByteView view) {
  const std::string_view block = text_of(view);
  if (block.find_first_not_of('\0') == block.npos) {
    state_ = ++zero_blocks_ == 2 ? State::end : State::header;
    return;
  }
  if (zero_blocks_ != 0) {
    throw FormatError("tar has content after its end");
  }
  check_sum(block);
  const char type = block[156];
  // "ustar\0" "00" (POSIX) and "ustar  \0" (GNU) differ in what lies at the prefix.
  const bool posix = block.substr(257, 6) == std::string_view("ustar\0", 6);
  rest_ = number_field(block, 124, 12);
  if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
    if (rest_ > kMaxExtensionBytes || rest_ == 0) {
      throw FormatError(fmt::format("tar has an extended header of {} bytes", rest_));
    }
    extension_type_ = type;
    extension_.clear();
    padding_ = (kBlock - rest_ % kBlock) % kBlock;
    state_ = State::extension;
    return;
  }
  std::string path(text_field(block, 0, 100));
  if (const auto prefix = text_field(block, 345, 155); posix && !prefix.empty()) {
    path = fmt::format("{}/{}", prefix, path);
  }
  rest_ = next_size_.value_or(rest_);
  TarEntry entry{.path = clean_path(next_path_.value_or(std::move(path))),
                 .kind = TarEntry::Kind::file,
                 .mode = static_cast<std::uint32_t>(number_field(block, 100, 8) & 07777),
                 .mtime = static_cast<std::int64_t>(number_field(block, 136, 12) & INT32_MAX),
                 .size_bytes = rest_,
                 .link = next_link_.value_or(std::string(text_field(block, 157, 100))),
                 .data_offset = position_};
  next_path_.reset();
  next_link_.reset();
  next_size_.reset();
  begin_entry(type, entry);
}

void TarReader::begin_entry(char type, const TarEntry& given) {
  TarEntry entry = given;
  if (type == '5') {
    entry.kind = TarEntry::Kind::directory;
  } else if (type == '2') {
    entry.kind = TarEntry::Kind::symlink;
    if (entry.link.empty() || entry.link.size() > kMaxPath ||
        entry.link.find('\0') != std::string::npos) {
      throw FormatError(fmt::format("tar has a link '{}' without a target", printable(entry.path)));
    }
  } else if (type == '1' && scope_ == TarScope::any) {
    entry.kind = TarEntry::Kind::hard_link;
    entry.link = clean_path(entry.link);
  } else if (type >= '3' && type <= '6' && scope_ == TarScope::any) {
    entry.kind = TarEntry::Kind::other;
  } else if (type != '0' && type != '\0') {
    throw FormatError(fmt::format("tar has an entry '{}' of type '{}'",
                                  printable(entry.path),
                                  printable(std::string_view(&type, 1))),
                      "files, folders and symbolic links can be read");
  }
  const bool is_file = entry.kind == TarEntry::Kind::file;
  if (entry.path.empty() && entry.kind != TarEntry::Kind::directory) {
    throw FormatError("tar has an entry without a name");
  }
  if (!is_file && rest_ != 0) {
    throw FormatError(fmt::format("tar has an entry '{}' with data", printable(entry.path)));
  }
  padding_ = (kBlock - rest_ % kBlock) % kBlock;
  handler_.entry(entry);
  if (data_ == TarData::absent) {
    if (rest_ > kMaxTarBytes - position_) {
      throw FormatError(fmt::format("tar has a file of {} bytes", rest_));
    }
    position_ += rest_ + padding_;
    rest_ = 0;
  }
  if (is_file && rest_ == 0) {
    handler_.end_data();
  }
  state_ = is_file && rest_ != 0 ? State::file : State::header;
}

void TarReader::end_extension() {
  std::string_view text = extension_;
  switch (extension_type_) {
    case 'L':
      next_path_ = text.substr(0, text.find('\0'));
      return;
    case 'K':
      next_link_ = text.substr(0, text.find('\0'));
      return;
    default:
      break;
  }
  while (!text.empty()) {
    const auto [key, value] = take_record(text);
    if (extension_type_ == 'x' && key == "path") {
      next_path_ = value;
    } else if (extension_type_ == 'x' && key == "linkpath") {
      next_link_ = value;
    } else if (extension_type_ == 'x' && key == "size") {
      next_size_ = parse_decimal(value);
    } else if (key == "path" || key == "linkpath" || key == "size" ||
               key.starts_with("GNU.sparse")) {
      throw FormatError(fmt::format("tar has a PAX record '{}' it may not have", printable(key)));
    }
  }
}

}  // namespace seed::image
