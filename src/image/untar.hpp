#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace seed::image {

/// What a tar says of one entry.
struct TarEntry {
  /// The last two come only where TarScope::any asks for them.
  enum class Kind : std::uint8_t { file, directory, symlink, hard_link, other };
  std::string path;  ///< relative, without `.`, `..` and slashes at its ends; "" is the root
  Kind kind = Kind::file;
  std::uint32_t mode = 0;
  std::int64_t mtime = 0;
  std::uint64_t size_bytes = 0;   ///< of a file; else 0
  std::string link;               ///< of a symlink; the path, cleaned, that a hard link names
  std::uint64_t data_offset = 0;  ///< where in the tar a file's bytes are; a multiple of 512
};

class TarHandler {
 public:
  virtual ~TarHandler() = default;
  virtual void entry(const TarEntry& entry) = 0;
  /// The bytes of the file that entry() named, then end_data(), which comes for empty files too.
  virtual void data(ByteView bytes) = 0;
  virtual void end_data() = 0;
};

/// Our own layers, or those of any image: with hard links and devices, and, as some writers have
/// it, without the two zero blocks at the end, or even the zeros after the last file.
enum class TarScope { seeds, any };

/// Whether the bytes of files, and what pads them, are in the stream. Where they are not, data()
/// never comes.
enum class TarData { present, absent };

/// Reads ustar, PAX and GNU long names from a stream. FormatError for what is damaged, for sparse
/// files and names that lead out of the folder, and for what is beyond the scope. In a seed what
/// follows a file up to the next block is zeros: whoever maps the block sees them.
class TarReader {
 public:
  explicit TarReader(TarHandler& handler,
                     TarScope scope = TarScope::seeds,
                     TarData data = TarData::present)
      : handler_(handler), scope_(scope), data_(data) {}

  void write(ByteView bytes);
  /// Throws where the end has not come.
  void finish();

  /// How much of the tar has gone by, in the stream or not.
  std::uint64_t position() const { return position_; }

 private:
  enum class State { header, file, extension, padding, end };
  void header(ByteView block);
  void begin_entry(char type, const TarEntry& entry);
  void end_extension();
  ByteView take(ByteView& bytes, std::uint64_t limit);

  TarHandler& handler_;
  TarScope scope_;
  TarData data_;
  State state_ = State::header;
  std::string block_;
  std::uint64_t position_ = 0;  ///< after what has been taken
  std::uint64_t rest_ = 0;      ///< of the data
  std::uint64_t padding_ = 0;   ///< zeros after it
  char extension_type_ = 0;
  std::string extension_;
  std::optional<std::string> next_path_;  ///< from extensions, for the next entry
  std::optional<std::string> next_link_;
  std::optional<std::uint64_t> next_size_;
  int zero_blocks_ = 0;
};

}  // namespace seed::image
