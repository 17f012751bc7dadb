#include "image/erofs.hpp"

#include <algorithm>
#include <map>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/tar.hpp"
#include "os/file.hpp"
#include "os/image_mount.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;
using Fill = std::function<void(TarWriter&)>;

std::string tar_of(const Fill& fill) {
  std::string text;
  TarWriter tar([&](ByteView bytes) { text += text_of(bytes); });
  fill(tar);
  tar.finish();
  return text;
}

struct Indexer final : TarHandler {
  Indexer(ErofsIndex& into, std::uint16_t number) : index(into), layer(number) {}

  void entry(const TarEntry& entry) override { index.add(entry, layer); }

  void data(ByteView) override {}

  void end_data() override {}

  ErofsIndex& index;
  std::uint16_t layer;
};

void add(ErofsIndex& index, const std::string& tar, std::uint16_t layer, std::size_t step = 1000) {
  Indexer indexer(index, layer);
  TarReader reader(indexer);
  for (std::size_t i = 0; i < tar.size(); i += step) {
    reader.write(bytes_of(std::string_view(tar).substr(i, step)));
  }
  reader.finish();
}

std::vector<ErofsDevice> devices_of(const std::vector<std::string>& tars) {
  std::vector<ErofsDevice> devices;
  for (const std::string& tar : tars) {
    devices.push_back({Digest::of(tar), tar.size()});
  }
  return devices;
}

std::string image_of(const ErofsIndex& index,
                     const std::vector<std::string>& tars,
                     ErofsOwner owner = {}) {
  std::string image;
  index.write(devices_of(tars), owner, [&](ByteView bytes) { image += text_of(bytes); });
  return image;
}

std::string image_of(const std::vector<std::string>& tars, ErofsOwner owner = {}) {
  ErofsIndex index;
  for (std::size_t i = 0; i < tars.size(); ++i) {
    add(index, tars[i], static_cast<std::uint16_t>(i));
  }
  return image_of(index, tars, owner);
}

/// Names of different lengths around what one block of a folder holds.
std::string name_of(int number) {
  return fmt::format("{:04}-{}", number, std::string(static_cast<std::size_t>(number % 240), 'n'));
}

std::string first_layer() {
  return tar_of([](TarWriter& tar) {
    tar.directory("nix", 0755);
    tar.directory("nix/store", 0755);
    tar.directory("nix/store/a", 0555);
    tar.file("nix/store/a/empty", 0444, "");
    tar.file("nix/store/a/program", 0555, std::string(511, 'p'));
    tar.file("nix/store/a/-before the dot", 0444, std::string(512, 'q'));
    tar.file("nix/store/a/large", 0444, std::string(100001, 'l'));
    tar.symlink("nix/store/a/link", "../b/" + std::string(475, 'x'));
    tar.symlink("nix/store/a/short", "program");
    tar.symlink("nix/store/a/long", std::string(4095, 'y'));
    tar.directory("nix/store/a/none", 0555);
    tar.directory("nix/store/a/many", 0555);
    for (int i = 0; i < 700; ++i) {
      tar.file("nix/store/a/many/" + name_of(i), 0444, fmt::format("{}", i));
    }
  });
}

std::string second_layer() {
  return tar_of([](TarWriter& tar) {
    tar.directory("nix", 0755);
    tar.directory("nix/store", 01775);
    tar.directory("nix/store/b", 0555);
    tar.file("nix/store/b/file", 0444, "of the second layer");
    tar.file("etc/passwd", 0644, "root");
    tar.file("nix/store/a/short", 0400, "a file now");
  });
}

/// Seen in a thread that has a mount namespace of its own.
void mounted(const std::vector<std::string>& tars,
             os::Backing backing,
             const std::function<void(const fs::path&)>& look,
             ErofsOwner owner = {}) {
  const os::TempDir temp(fs::exists("/var/tmp") ? "/var/tmp" : "");
  os::ImageMount mount{.image = temp.path() / "index", .devices = {}};
  os::File::create_new(mount.image).write(bytes_of(image_of(tars, owner)));
  for (std::size_t i = 0; i < tars.size(); ++i) {
    mount.devices.push_back(temp.path() / std::to_string(i));
    os::File::create_new(mount.devices.back()).write(bytes_of(tars[i]));
  }
  std::exception_ptr failure;
  std::thread([&] {
    try {
      os::leave_shared_mounts();
      fs::create_directory(temp.path() / "root");
      os::mount_image(mount, backing, temp.path() / "root");
      look(temp.path() / "root");
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) {
    std::rethrow_exception(failure);
  }
}

bool can_mount(os::Backing backing) {
  if (::geteuid() != 0) {
    WARN("not root: erofs images are not mounted");
    return false;
  }
  try {
    mounted({first_layer()}, backing, [](const fs::path&) {});
    return true;
  } catch (const Error& error) {
    WARN(error.message());
    return false;
  }
}

struct stat status_of(const fs::path& path) {
  struct stat status{};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

std::string read(const fs::path& path) {
  return os::read_file(path, 1 << 20);
}

std::string refusal(const std::vector<std::string>& tars) {
  try {
    image_of(tars);
    return "written";
  } catch (const FormatError& error) {
    return error.message();
  }
}

}  // namespace

TEST_CASE("the kernel shows through an index what is in the tars of the layers") {
  const auto backing = GENERATE(os::Backing::file, os::Backing::loop);
  if (!can_mount(backing)) {
    return;
  }
  mounted({first_layer(), second_layer()}, backing, [](const fs::path& root) {
    const fs::path a = root / "nix/store/a";
    CHECK(read(a / "empty").empty());
    CHECK(read(a / "program") == std::string(511, 'p'));
    CHECK(read(a / "-before the dot") == std::string(512, 'q'));
    CHECK(read(a / "large") == std::string(100001, 'l'));
    CHECK(fs::read_symlink(a / "link").string() == "../b/" + std::string(475, 'x'));
    CHECK(fs::read_symlink(a / "long").string() == std::string(4095, 'y'));
    CHECK(fs::is_empty(a / "none"));
    for (int i = 0; i < 700; ++i) {
      REQUIRE(read(a / "many" / name_of(i)) == fmt::format("{}", i));
    }
    CHECK(std::distance(fs::directory_iterator(a / "many"), fs::directory_iterator()) == 700);
    CHECK_FALSE(fs::exists(a / "many" / "0000-nn"));
    // of the second layer, and what both have
    CHECK(read(root / "nix/store/b/file") == "of the second layer");
    CHECK(read(a / "short") == "a file now");
    CHECK(read(root / "etc/passwd") == "root");
    CHECK((status_of(root / "nix/store").st_mode & 07777) == 01775);
    CHECK(std::distance(fs::directory_iterator(a), fs::directory_iterator()) == 9);
  });
}

TEST_CASE("modes, times, sizes, owners and counts of links are those of an unpacked tree") {
  if (!can_mount(os::Backing::file)) {
    return;
  }
  mounted({first_layer(), second_layer()}, os::Backing::file, [](const fs::path& root) {
    const struct stat program = status_of(root / "nix/store/a/program");
    CHECK((program.st_mode & 07777) == 0555);
    CHECK(program.st_size == 511);
    CHECK(program.st_mtime == 1);
    CHECK(program.st_uid == 0);
    CHECK(program.st_gid == 0);
    CHECK(program.st_nlink == 1);
    CHECK(status_of(root / "nix/store").st_nlink == 4);
    CHECK(status_of(root / "etc").st_mode == (S_IFDIR | 0755));
    CHECK(S_ISLNK(status_of(root / "nix/store/a/link").st_mode));
    CHECK(status_of(root / "nix/store/a/link").st_size == 480);
  });
}

TEST_CASE("files are the owner's that the index names, however large its numbers are") {
  if (!can_mount(os::Backing::file)) {
    return;
  }
  const ErofsOwner owner =
      GENERATE(ErofsOwner{1001, 118}, ErofsOwner{65536, 1}, ErofsOwner{1, 4000000000});
  const auto look = [&](const fs::path& root) {
    std::size_t seen = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const struct stat status = status_of(entry.path());
      seen += status.st_uid == owner.uid && status.st_gid == owner.gid ? 1 : 0;
    }
    CHECK(seen == 700 + 16);
    CHECK(read(root / "nix/store/b/file") == "of the second layer");
    CHECK(read(root / "nix/store/a/many" / name_of(699)) == "699");
  };
  mounted({first_layer(), second_layer()}, os::Backing::file, look, owner);
}

TEST_CASE("times and sizes that the short inode has no room for are kept") {
  if (!can_mount(os::Backing::file)) {
    return;
  }
  // no bytes are there: the index alone says how large the file is
  ErofsIndex index;
  index.add({.path = "huge", .mode = 0444, .mtime = 1, .size_bytes = std::uint64_t{5} << 30}, 0);
  index.add({.path = "dated", .mode = 04755, .mtime = 1234567890}, 0);
  const os::TempDir temp("/var/tmp");
  const os::ImageMount mount{.image = temp.path() / "index", .devices = {temp.path() / "tar"}};
  std::string image;
  index.write(std::vector<ErofsDevice>{{Digest::of("x"), std::uint64_t{6} << 30}},
              {},
              [&](ByteView bytes) { image += text_of(bytes); });
  os::File::create_new(mount.image).write(bytes_of(image));
  os::File::create_new(mount.devices[0]);
  fs::resize_file(mount.devices[0], std::uintmax_t{6} << 30);
  std::thread([&] {
    os::leave_shared_mounts();
    fs::create_directory(temp.path() / "root");
    os::mount_image(mount, os::Backing::file, temp.path() / "root");
    CHECK(status_of(temp.path() / "root/huge").st_size == off_t{5} << 30);
    os::File file = os::File::open_read(temp.path() / "root/huge");
    file.seek((std::uint64_t{5} << 30) - 4);
    std::array<std::byte, 16> end{};
    CHECK(file.read(end) == 4);
    CHECK(status_of(temp.path() / "root/dated").st_mtime == 1234567890);
    CHECK((status_of(temp.path() / "root/dated").st_mode & 07777) == 0755);
  }).join();
}

TEST_CASE("the same layers give the same index, whatever order their entries come in") {
  const std::vector<std::string> tars{first_layer(), second_layer()};
  const std::string image = image_of(tars);
  ErofsIndex backwards;
  add(backwards, tars[1], 1, 1);
  add(backwards, tars[0], 0, 7);
  CHECK(image_of(backwards, tars) == image);
  ErofsIndex threads;
  {
    const std::jthread other([&] { add(threads, tars[1], 1); });
    add(threads, tars[0], 0);
  }
  CHECK(image_of(threads, tars) == image);
  CHECK(image.size() % 512 == 0);
  // The bytes are those that the kernel and fsck.erofs 1.8.6 were content with.
  CHECK(Digest::of(image).hex() ==
        "384d481050c01c3924df3441d08ad1e4bb1c7ffb2564822e49ea5cc167b20360");
}

TEST_CASE("fsck.erofs finds nothing to complain of, and the same bytes") {
  // Debian 12 has 1.5, which knows no other device: a newer one can be named, with its loader.
  const auto named = os::get(os::current_environment(), "NIX_SEED_FSCK_EROFS");
  const std::string words = named.value_or("fsck.erofs");
  std::vector<std::string> fsck;
  for (const std::string_view word : split(words, ' ')) {
    fsck.emplace_back(word);
  }
  os::SystemRunner runner;
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), fsck.begin(), fsck.end());
    return os::capture(runner, {.argv = more});
  };
  if (!named &&
      (!os::find_program(os::current_environment(), fsck[0]) || !run({"--version"}).exit.ok())) {
    WARN("no fsck.erofs 1.8 or later");
    return;
  }
  const os::TempDir temp;
  const std::vector<std::string> tars{first_layer(), second_layer()};
  os::File::create_new(temp.path() / "index").write(bytes_of(image_of(tars)));
  std::vector<std::string> arguments{"--extract=" + (temp.path() / "out").string()};
  for (std::size_t i = 0; i < tars.size(); ++i) {
    const fs::path device = temp.path() / std::to_string(i);
    os::File::create_new(device).write(bytes_of(tars[i]));
    arguments.push_back("--device=" + device.string());
  }
  arguments.push_back(temp.path() / "index");
  const os::Captured result = run(arguments);
  INFO(result.out << result.err);
  CHECK(result.exit.ok());
  CHECK(read(temp.path() / "out/nix/store/a/large") == std::string(100001, 'l'));
  CHECK(read(temp.path() / "out/nix/store/b/file") == "of the second layer");
  CHECK(fs::read_symlink(temp.path() / "out/nix/store/a/long").string() == std::string(4095, 'y'));
}

TEST_CASE("one name that is a folder and something else is refused") {
  const auto file = [](const std::string& path) {
    return tar_of([&](TarWriter& tar) { tar.file(path, 0444, "x"); });
  };
  const std::string folder = tar_of([](TarWriter& tar) { tar.directory("a", 0755); });
  CHECK(refusal({folder, file("a")}) == "'a' is a folder and something else in the layers' tars");
  CHECK(refusal({file("a"), folder}) == "'a' is a folder and something else in the layers' tars");
  CHECK(refusal({file("a"), file("a/b")}) ==
        "'a' is a folder and something else in the layers' tars");
  CHECK(refusal({file("a"), file("a")}) == "written");
  CHECK(refusal({file("b/.wh.a")}) == "'b/.wh.a' in a tar is a deletion; seeds have none");
}

TEST_CASE("more layers than the format can number are refused") {
  const ErofsIndex index;
  const std::vector<ErofsDevice> devices(4097, ErofsDevice{Digest::of("x"), 1024});
  CHECK_THROWS_WITH(index.write(devices, {}, [](ByteView) {}),
                    "an image has 4097 layers; 4096 can be mounted");
  std::uint64_t size = 0;
  index.write(std::span(devices).first(4096), {}, [&](ByteView bytes) { size += bytes.size(); });
  CHECK(size == 1024 + 128 + 4096 * 128 + 512 - 128);
}

TEST_CASE("content in the padding of a seed's file is refused") {
  std::string tar = tar_of([](TarWriter& writer) { writer.file("x", 0444, "x"); });
  tar[1023] = 'y';
  CHECK(refusal({tar}) == "tar has content in the padding of a file");
}

}  // namespace seed::image
