#include "os/served_files.hpp"

#include <atomic>

#include <unistd.h>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"

namespace seed::os {
namespace {

constexpr std::size_t kSize = 3'000'001;

char letter(std::uint64_t offset) {
  return static_cast<char>('a' + offset % 23);
}

std::string text(std::uint64_t offset, std::size_t size) {
  std::string result(size, 0);
  for (std::size_t i = 0; i < size; ++i) {
    result[i] = letter(offset + i);
  }
  return result;
}

std::string read(const File& file, std::uint64_t offset, std::size_t size) {
  Bytes bytes(size);
  return file.read_at(bytes, offset) == size ? std::string(text_of(bytes)) : "too little";
}

struct Served {
  std::atomic<std::uint64_t> asked_bytes = 0;
  ServedFiles files;

  Served()
      : files(make_served_mount(),
              {7, kSize},
              [this](std::size_t, std::uint64_t offset, std::span<std::byte> into) {
                asked_bytes += into.size();
                for (std::size_t i = 0; i < into.size(); ++i) {
                  into[i] = static_cast<std::byte>(letter(offset + i));
                }
              }) {}
};

bool can_serve() {
  try {
    make_served_mount();
    return true;
  } catch (const Error& error) {
    return test::missing("/dev/fuse", error.what());
  }
}

}  // namespace

TEST_CASE("served files have the bytes that are made when somebody reads them") {
  if (!can_serve()) {
    return;
  }
  Served served;
  const File small = served.files.open(0);
  const File large = served.files.open(1);
  CHECK(small.size() == 7);
  CHECK(large.size() == kSize);
  CHECK(read(small, 0, 7) == text(0, 7));
  CHECK(read(large, kSize - 500'000, 500'000) == text(kSize - 500'000, 500'000));
  CHECK_THROWS_AS(served.files.open(2), Error);
}

TEST_CASE("what has been given to the kernel is not asked for") {
  if (!can_serve()) {
    return;
  }
  Served served;
  const File file = served.files.open(1);
  const ServedFiles::Give give = served.files.giver();
  give(1, 0, bytes_of(text(0, 2'000'000 / 4096 * 4096)));
  CHECK(read(file, 0, 1'900'000) == text(0, 1'900'000));
  CHECK(served.asked_bytes == 0);
  give(1, 732 * 4096, bytes_of(text(732 * 4096, kSize - 732 * 4096)));  // up to the end
  CHECK(read(file, kSize - 100, 100) == text(kSize - 100, 100));
  CHECK(served.asked_bytes == 0);
  give(2, 0, bytes_of("nobody knows this file"));
  CHECK(read(file, 2'100'000, 100) == text(2'100'000, 100));
  CHECK(served.asked_bytes > 0);
}

TEST_CASE("giving to files that are gone does nothing") {
  if (!can_serve()) {
    return;
  }
  ServedFiles::Give give;
  {
    const Served served;
    give = served.files.giver();
  }
  CHECK_NOTHROW(give(1, 0, bytes_of("late")));
}

}  // namespace seed::os
