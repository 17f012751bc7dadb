#include "image/tar.hpp"

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

std::string tar_of(const std::function<void(TarWriter&)>& fill) {
  std::string text;
  TarWriter tar([&](ByteView bytes) { text += text_of(bytes); });
  fill(tar);
  tar.finish();
  CHECK(tar.size_bytes() == text.size());
  return text;
}

std::string run(std::vector<std::string> argv, const std::string& input = {}) {
  os::SystemRunner runner;
  os::Command command;
  command.argv = std::move(argv);
  command.input = input;
  command.extra = {{"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}};
  const auto captured = os::capture(runner, command);
  INFO(captured.err);
  CHECK(captured.exit.ok());
  CHECK(captured.err.empty());
  return captured.out;
}

const std::string kLong(200, 'l');
const std::string kAccent = "na\xc3\xafve";

void fill_all_kinds(TarWriter& tar) {
  tar.directory("d", 0755);
  tar.file("d/empty", 0444, "");
  tar.file("d/x", 0555, "#!/bin/sh\n");
  tar.file("d/" + kAccent, 0444, "i");
  tar.symlink("d/link", "x");
  tar.symlink("d/long", kLong);
  tar.file("d/" + kLong, 0444, std::string(513, 'z'));
  tar.directory("d/" + std::string(97, 'a') + "/" + std::string(97, 'b'), 0555);
}

}  // namespace

TEST_CASE("a tar is the bytes GNU tar writes as ustar") {
  if (!test::have_program("tar")) {
    return;
  }
  const os::TempDir temp;
  const std::string deep = "d/" + std::string(90, 'e') + "/" + std::string(95, 'f');
  fs::create_directories(temp.path() / deep);
  std::ofstream(temp.path() / "d/file") << "content";
  std::ofstream(temp.path() / deep / "g") << std::string(1024, 'x');
  fs::create_symlink("file", temp.path() / "d/link");
  fs::permissions(temp.path() / "d/file", fs::perms(0444));
  fs::permissions(temp.path() / deep / "g", fs::perms(0555));
  for (auto path = fs::path(deep); !path.empty(); path = path.parent_path()) {
    fs::permissions(temp.path() / path, fs::perms(0755));
  }
  const std::string mine = tar_of([&](TarWriter& tar) {
    tar.directory("d", 0755);
    tar.directory("d/" + std::string(90, 'e'), 0755);
    tar.directory(deep, 0755);
    tar.file(deep + "/g", 0555, std::string(1024, 'x'));
    tar.file("d/file", 0444, "content");
    tar.symlink("d/link", "file");
  });
  CHECK(mine == run({"tar",
                     "--format=ustar",
                     "--owner=0",
                     "--group=0",
                     "--numeric-owner",
                     "--mtime=@1",
                     "--sort=name",
                     "-b",
                     "1",
                     "-C",
                     temp.path().string(),
                     "-cf",
                     "-",
                     "d"}));
}

TEST_CASE("GNU tar, bsdtar and Python read every kind of entry without a complaint") {
  const std::string tar = tar_of(fill_all_kinds);
  const std::string names = "d/\nd/empty\nd/x\nd/" + kAccent + "\nd/link\nd/long\nd/" + kLong +
                            "\nd/" + std::string(97, 'a') + "/" + std::string(97, 'b') + "/\n";
  if (test::have_program("tar")) {
    CHECK(run({"tar", "--quoting-style=literal", "-tf", "-"}, tar) == names);
    const std::string listing = run({"tar", "--numeric-owner", "-tvf", "-"}, tar);
    CHECK(
        listing.starts_with("drwxr-xr-x 0/0               0 1970-01-01 00:00 d/\n"
                            "-r--r--r-- 0/0               0 1970-01-01 00:00 d/empty\n"
                            "-r-xr-xr-x 0/0              10 1970-01-01 00:00 d/x\n"));
  }
  if (test::have_program("bsdtar")) {
    CHECK(run({"bsdtar", "-tf", "-"}, tar) == names);
  }
  if (test::have_program("python3")) {
    CHECK(run({"python3",
               "-c",
               "import sys, tarfile\n"
               "for m in tarfile.open(fileobj=sys.stdin.buffer, mode='r|'):\n"
               "  assert (m.uid, m.gid, m.uname, m.gname, m.mtime) == (0, 0, '', '', 1)\n"
               "  print(m.name + ('/' if m.isdir() else ''))"},
              tar) == names);
  }
}

TEST_CASE("a tar ends with two zero blocks and file data starts on a block") {
  const std::string tar = tar_of([](TarWriter& writer) { writer.file("a", 0444, "data"); });
  REQUIRE(tar.size() == 512 + 512 + 1024);
  CHECK(tar.substr(512, 5) == std::string("data\0", 5));
  CHECK(tar.substr(1024) == std::string(1024, '\0'));
  CHECK(tar.substr(100, 8) == std::string("0000444\0", 8));
  CHECK(tar.substr(257, 8) == std::string("ustar\00000", 8));
}

TEST_CASE("a PAX header appears exactly where ustar does not fit") {
  const auto has_pax = [](const std::function<void(TarWriter&)>& fill) {
    return tar_of(fill)[156] == 'x';
  };
  const std::string hundred(100, 'a');
  CHECK_FALSE(has_pax([&](TarWriter& tar) { tar.file(hundred, 0444, ""); }));
  CHECK(has_pax([&](TarWriter& tar) { tar.file(hundred + "a", 0444, ""); }));
  CHECK_FALSE(has_pax([&](TarWriter& tar) { tar.directory(std::string(99, 'a'), 0555); }));
  CHECK(has_pax([&](TarWriter& tar) { tar.directory(hundred, 0555); }));
  const std::string prefix(155, 'p');
  CHECK_FALSE(has_pax([&](TarWriter& tar) { tar.file(prefix + "/" + hundred, 0444, ""); }));
  CHECK(has_pax([&](TarWriter& tar) { tar.file(prefix + "p/" + hundred, 0444, ""); }));
  CHECK_FALSE(has_pax([&](TarWriter& tar) { tar.symlink("a", hundred); }));
  CHECK(has_pax([&](TarWriter& tar) { tar.symlink("a", hundred + "a"); }));
}

TEST_CASE("PAX records come in one order under one name") {
  const std::string name(101, 'n');
  const std::string tar = tar_of([&](TarWriter& writer) { writer.symlink(name, name); });
  CHECK(tar.substr(0, 17) == std::string("PaxHeaders/entry\0", 17));
  CHECK(tar.substr(512, 228) ==
        "115 linkpath=" + name + "\n111 path=" + name + "\n" + std::string(2, '\0'));
}

TEST_CASE("a file of 8 GiB has its size in a PAX record") {
  std::string text;
  TarWriter tar([&](ByteView bytes) {
    if (text.size() < 4096) {
      text += text_of(bytes);
    }
  });
  tar.begin_file("big", 0444, std::uint64_t{1} << 33);
  tar.file_data(Bytes(200000));  // makes the writer hand over what it has
  CHECK(text.substr(512, 19) == "19 size=8589934592\n");
  CHECK(text.substr(1024 + 124, 12) == std::string("00000000000\0", 12));
}

TEST_CASE("the cut of the data does not show in the tar") {
  const std::string data(300000, 'q');
  const auto cut = [&](std::size_t step) {
    return tar_of([&](TarWriter& tar) {
      tar.begin_file("f", 0444, data.size());
      for (std::size_t i = 0; i < data.size(); i += step) {
        tar.file_data(bytes_of(std::string_view(data).substr(i, step)));
      }
      tar.end_file();
      tar.file("g", 0444, "g");
    });
  };
  CHECK(cut(1000) == cut(300000));
  CHECK(cut(70000) == cut(300000));
}

TEST_CASE("a path that does not belong in a layer is refused") {
  TarWriter tar([](ByteView) {});
  for (const std::string path : {"", "/a", "a/", "a//b", "../a", "a/./b", "."}) {
    CHECK_THROWS_AS(tar.file(path, 0444, ""), Error);
  }
  CHECK_THROWS_AS(tar.file(std::string("a\0b", 3), 0444, ""), Error);
  CHECK_THROWS_AS(tar.symlink("a", ""), Error);
}

TEST_CASE("a file that is longer or shorter than its header is refused") {
  TarWriter tar([](ByteView) {});
  tar.begin_file("a", 0444, 2);
  CHECK_THROWS_AS(tar.file_data(bytes_of("abc")), Error);
  tar.file_data(bytes_of("a"));
  CHECK_THROWS_AS(tar.end_file(), Error);
}

TEST_CASE("a store tree lies below its prefix with the store's modes") {
  const std::string tree = tar_of([](TarWriter& tar) {
    TarTree visitor(tar, "nix/store/p");
    visitor.enter_directory("");
    visitor.begin_file("f", false, 1);
    visitor.file_data(bytes_of("1"));
    visitor.end_file();
    visitor.begin_file("x", true, 0);
    visitor.end_file();
    visitor.symlink("y", "x");
    visitor.leave_directory("");
  });
  CHECK(tree == tar_of([](TarWriter& tar) {
          tar.directory("nix/store/p", 0555);
          tar.file("nix/store/p/f", 0444, "1");
          tar.file("nix/store/p/x", 0555, "");
          tar.symlink("nix/store/p/y", "x");
        }));
}

TEST_CASE("a name that unpackers would take for a deletion is refused") {
  TarWriter tar([](ByteView) {});
  TarTree visitor(tar, "nix/store/p");
  CHECK_THROWS_WITH(visitor.begin_file("d/.wh.x", false, 0),
                    "'nix/store/p/d/.wh.x' would delete a file where the layer is unpacked");
  CHECK_THROWS_AS(visitor.symlink(".wh..wh..opq", "x"), Error);
}

}  // namespace seed::image
