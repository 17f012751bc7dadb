#include "image/unpack.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "base/error.hpp"
#include "image/tar.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

struct Box {
  os::TempDir temp;
  fs::path root = temp.path() / "root";

  Box() { fs::create_directory(root); }

  void extract(std::string_view tar, std::size_t step = 1000) const {
    TarExtractor extractor(root);
    for (std::size_t i = 0; i < tar.size(); i += step) {
      extractor.write(bytes_of(tar.substr(i, step)));
    }
    extractor.finish();
  }

  std::string refusal(const std::string& tar) const {
    try {
      extract(tar);
      return "extracted";
    } catch (const FormatError& error) {
      return error.message();
    }
  }

  std::string read(const fs::path& path) const { return os::read_file(root / path, 1 << 20); }
};

std::string tar_of(const std::function<void(TarWriter&)>& fill) {
  std::string text;
  TarWriter tar([&](ByteView bytes) { text += text_of(bytes); });
  fill(tar);
  tar.finish();
  return text;
}

/// A tar of one entry whose name, type or link is changed to what TarWriter refuses to write.
std::string forged(std::string name, char type, const std::string& link = {}) {
  std::string tar = tar_of([](TarWriter& writer) { writer.file("x", 0644, ""); });
  name.resize(100, '\0');
  tar.replace(0, 100, name);
  tar[156] = type;
  tar.replace(157, link.size(), link);
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < 512; ++i) {
    sum += i >= 148 && i < 156 ? 0 : static_cast<unsigned char>(tar[i]);
  }
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum & 0777777);
  tar.replace(148, 7, digits, 7);
  return tar;
}

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  CHECK(status.st_mtime == 1);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("what was written as a tar is extracted, however the stream is cut") {
  const std::string deep = "d/" + std::string(120, 'a') + "/" + std::string(120, 'b');
  const std::string tar = tar_of([&](TarWriter& writer) {
    writer.directory("d", 0555);
    writer.file("d/empty", 0444, "");
    writer.file("d/x", 0755, std::string(5000, 'x'));
    writer.file(deep, 0444, "deep");
    writer.symlink("d/link", std::string(200, 't'));
    writer.directory("tmp", 01777);
  });
  for (const std::size_t step : {1U, 511U, 1000000U}) {
    const Box box;
    const mode_t before = ::umask(077);
    box.extract(tar, step);
    ::umask(before);
    CHECK(box.read("d/x") == std::string(5000, 'x'));
    CHECK(box.read("d/empty").empty());
    CHECK(box.read(deep) == "deep");
    CHECK(fs::read_symlink(box.root / "d/link") == std::string(200, 't'));
    CHECK(mode_of(box.root / "d") == 0555);
    CHECK(mode_of(box.root / "d/x") == 0755);
    CHECK(mode_of(box.root / "d/empty") == 0444);
    CHECK(mode_of(box.root / "tmp") == 01777);
    CHECK((fs::status(box.root / "d" / std::string(120, 'a')).permissions() == fs::perms(0755)));
  }
}

TEST_CASE("what GNU tar writes in its own and in PAX format is extracted") {
  const Box from;
  const std::string name(150, 'n');
  std::ofstream(from.root / name) << "long";
  fs::create_symlink(std::string(180, 'l'), from.root / "link");
  for (const std::string format : {"gnu", "pax", "ustar"}) {
    os::SystemRunner runner;
    os::Command command;
    command.argv = {"tar", "--format=" + format, "-C", from.root.string(), "-cf", "-"};
    if (format == "ustar") {  // which can't hold the others
      std::ofstream(from.root / "short") << "short";
      command.argv.push_back("short");
    } else {
      command.argv.push_back(".");
    }
    const Box box;
    box.extract(os::capture(runner, command).out);
    if (format == "ustar") {
      CHECK(box.read("short") == "short");
    } else {
      CHECK(box.read(name) == "long");
      CHECK(fs::read_symlink(box.root / "link") == std::string(180, 'l'));
    }
  }
}

TEST_CASE("a name that leads out of the folder is refused") {
  const Box box;
  CHECK(box.refusal(forged("/etc/passwd", '0')) == "tar has an entry named '/etc/passwd'");
  CHECK(box.refusal(forged("../x", '0')) == "tar has an entry named '../x'");
  CHECK(box.refusal(forged("a/../../x", '0')) == "tar has an entry named 'a/../../x'");
  CHECK(box.refusal(forged("..", '5')) == "tar has an entry named '..'");
  CHECK(box.refusal(forged(".", '0')) == "tar has an entry without a name");
  CHECK(box.refusal(forged("./", '5')) == "extracted");
}

TEST_CASE("an entry below a link is refused, and nothing appears behind the link") {
  const Box box;
  const fs::path outside = box.temp.path() / "outside";
  fs::create_directory(outside);
  const auto through = [&](const std::string& target) {
    return tar_of([&](TarWriter& tar) {
      tar.symlink("link", target);
      tar.file("link/file", 0644, "x");
    });
  };
  const std::string expected = "'link' in a tar leads through something that is no folder";
  CHECK(box.refusal(through(outside.string())) == expected);
  CHECK(box.refusal(through("../outside")) == expected);
  CHECK(box.refusal(through(".")) == expected);
  CHECK(box.refusal(tar_of([](TarWriter& tar) {
    tar.symlink("link2", "../outside");
    tar.directory("link2", 0777);
  })) == "'link2' in a tar replaces something that is no folder");
  CHECK(fs::is_empty(outside));
}

TEST_CASE("a later entry takes the place of a file or link, never of a folder") {
  const Box box;
  const fs::path outside = box.temp.path() / "outside";
  std::ofstream(outside) << "untouched";
  box.extract(tar_of([](TarWriter& tar) {
    tar.symlink("a", "../outside");
    tar.file("a", 0644, "mine");
    tar.file("b", 0644, "file");
    tar.symlink("b", "a");
  }));
  CHECK(box.read("a") == "mine");
  CHECK(fs::is_symlink(box.root / "b"));
  CHECK(os::read_file(outside, 100) == "untouched");
  CHECK(box.refusal(tar_of([](TarWriter& tar) {
    tar.directory("d", 0755);
    tar.file("d", 0644, "");
  })) == "'d' in a tar replaces a folder");
}

TEST_CASE("entries that no seed has are refused") {
  const Box box;
  for (const char type : {'1', '3', '4', '6', '7', 'S', 'Z'}) {
    CHECK(box.refusal(forged("x", type, "y")) ==
          std::string("tar has an entry 'x' of type '") + type + "'");
  }
  CHECK(box.refusal(forged("x", '2')) == "tar has a link 'x' without a target");
  CHECK(box.refusal(forged("d/.wh.x", '0')) == "'d/.wh.x' in a tar is a deletion; seeds have none");
}

TEST_CASE("a tar that is damaged, cut or trailed is refused") {
  const Box box;
  const std::string good = tar_of([](TarWriter& tar) { tar.file("x", 0644, "data"); });
  CHECK(box.refusal(good) == "extracted");
  CHECK(box.refusal(good + std::string(8192, '\0')) == "extracted");
  CHECK(box.refusal("") == "tar ends too early");
  for (const std::size_t cut : {512U, 600U, 1024U, 1500U}) {
    CHECK(box.refusal(good.substr(0, good.size() - cut)) == "tar ends too early");
  }
  CHECK(box.refusal(good + "x") == "tar has content after its end");
  CHECK(box.refusal(good.substr(0, good.size() - 512) + good) == "tar has content after its end");
  std::string damaged = good;
  damaged[0] = 'y';
  CHECK(box.refusal(damaged) == "tar has a header with a wrong checksum");
}

TEST_CASE("setuid and setgid are not applied") {
  const Box box;
  box.extract(tar_of([](TarWriter& tar) { tar.file("x", 06755, ""); }));
  CHECK(mode_of(box.root / "x") == 0755);
}

}  // namespace seed::image
