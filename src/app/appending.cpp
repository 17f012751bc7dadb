#include "app/appending.hpp"

#include <array>

#include "base/error.hpp"
#include "ci/adapters.hpp"
#include "os/file.hpp"

namespace seed::app {
namespace {

/// What another program wrote last may lack its line feed. Of what is no file (a terminal, a pipe)
/// nothing is known.
bool ends_in_line(os::File& file, std::uint64_t size) {
  if (size == 0) {
    return true;
  }
  std::array<std::byte, 1> last{};
  file.seek(size - 1);
  return file.read(last) == 1 && last[0] == std::byte{'\n'};
}

}  // namespace

bool append_text(const std::filesystem::path& path,
                 const std::string& text,
                 std::uint64_t limit_bytes) {
  os::File file = os::File::open_append(path);
  const std::uint64_t size = std::filesystem::is_regular_file(path) ? file.size() : 0;
  std::string more = (ends_in_line(file, size) ? "" : "\n") + text;
  bool cut = false;
  if (limit_bytes != 0 && size + more.size() > limit_bytes) {
    more = ci::fit_summary(more, size < limit_bytes ? limit_bytes - size : 0);
    cut = true;
  }
  file.write(bytes_of(more));
  file.close();
  return cut;
}

std::string why_not_writable(const std::filesystem::path& path) {
  try {
    os::File::open_append(path).close();
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

}  // namespace seed::app
