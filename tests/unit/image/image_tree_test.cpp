#include "image/image_tree.hpp"

#include <atomic>

#include "base/error.hpp"
#include "image/tar.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

LayerNames read(std::string_view tar, std::size_t step = 1000, std::int64_t budget = 1 << 20) {
  std::atomic<std::int64_t> left = budget;
  LayerNamesReader reader(left);
  for (std::size_t i = 0; i < tar.size(); i += step) {
    reader.write(bytes_of(tar.substr(i, step)));
  }
  return reader.finish();
}

LayerNames layer(const std::function<void(TarWriter&)>& fill) {
  std::string text;
  TarWriter tar([&](ByteView bytes) { text += text_of(bytes); });
  fill(tar);
  tar.finish();
  return read(text);
}

ImageTree tree_of(std::initializer_list<LayerNames> layers) {
  ImageTree tree;
  for (const LayerNames& each : layers) {
    tree.add(each);
  }
  return tree;
}

std::string leads_to(const ImageTree& tree, std::string_view path) {
  const auto found = tree.find(path);
  return found ? found->path : "nowhere";
}

/// What the real tar writes of a folder, with what our own writer refuses.
std::string gnu_tar(const fs::path& folder) {
  os::SystemRunner runner;
  os::Command command;
  command.argv = {"tar", "--sort=name", "-C", folder.string(), "-cf", "-", "."};
  return os::capture(runner, command).out;
}

}  // namespace

TEST_CASE("links are followed as inside the image, whatever layer they are in") {
  const ImageTree tree = tree_of({layer([](TarWriter& tar) {
                                    tar.directory("nix/store/a", 0555);
                                    tar.file("nix/store/a/bin/tool", 0555, "x");
                                    tar.symlink("nix/store/a/bin/tail", "tool");
                                  }),
                                  layer([](TarWriter& tar) {
                                    tar.symlink("usr/bin", "../bin");
                                    tar.symlink("bin/tail", "/nix/store/a/bin/tail");
                                    tar.symlink("up", "../../../bin/tail");
                                    tar.symlink("bin/gone", "/nix/store/b/bin/tail");
                                    tar.symlink("bin/loop", "loop");
                                    tar.file("file", 0644, "x");
                                  })});
  CHECK(leads_to(tree, "/usr/bin/tail") == "nix/store/a/bin/tool");
  CHECK(leads_to(tree, "/up") == "nix/store/a/bin/tool");
  CHECK(leads_to(tree, "/usr/./bin/../bin//tail") == "nix/store/a/bin/tool");
  CHECK(leads_to(tree, "/bin/gone") == "nowhere");
  CHECK(leads_to(tree, "/bin/loop") == "nowhere");
  CHECK(leads_to(tree, "/file/x") == "nowhere");
  CHECK(leads_to(tree, "/absent") == "nowhere");
  CHECK(tree.entries_of("/usr/bin") ==
        std::vector<std::string>{"bin/gone", "bin/loop", "bin/tail"});
}

TEST_CASE("a program is an executable file that PATH leads to") {
  const ImageTree tree = tree_of({layer([](TarWriter& tar) {
    tar.file("a/tool", 0644, "not executable");
    tar.directory("b/tool", 0755);
    tar.symlink("c/tool", "../d/other");
    tar.file("d/other", 0755, "x");
    tar.file("e/tool", 0755, "x");
  })});
  CHECK(tree.find_program("tool", "/a:/b:/c:/e")->path == "d/other");
  CHECK(tree.find_program("tool", "/e:/c")->path == "e/tool");
  CHECK_FALSE(tree.find_program("tool", "/a:/b"));
  CHECK_FALSE(tree.find_program("tool", ""));
  CHECK_FALSE(tree.find_program("tool", "e:./e"));
}

TEST_CASE("a later layer replaces and deletes what is below it, not what it brings itself") {
  const LayerNames below = layer([](TarWriter& tar) {
    tar.file("etc/one", 0644, "");
    tar.file("etc/two", 0644, "");
    tar.file("opt/deep/er/three", 0644, "");
    tar.file("opt/deeper", 0644, "");
    tar.directory("tmp", 0755);
    tar.file("tmp/kept", 0644, "");
    tar.directory("srv/folder", 0755);
    tar.file("srv/folder/four", 0644, "");
  });
  const ImageTree tree = tree_of({below, layer([](TarWriter& tar) {
                                    tar.file("etc/.wh.one", 0644, "");
                                    tar.file("opt/.wh.deep", 0644, "");
                                    tar.directory("tmp", 01777);
                                    tar.file("srv/folder", 0644, "now a file");
                                  })});
  CHECK(leads_to(tree, "/etc/one") == "nowhere");
  CHECK(leads_to(tree, "/etc/two") == "etc/two");
  CHECK(leads_to(tree, "/etc/.wh.one") == "nowhere");
  CHECK(leads_to(tree, "/opt/deep/er/three") == "nowhere");
  CHECK(leads_to(tree, "/opt/deeper") == "opt/deeper");
  CHECK(leads_to(tree, "/tmp/kept") == "tmp/kept");
  CHECK(tree.find("/tmp")->node->mode == 01777);
  CHECK(leads_to(tree, "/srv/folder/four") == "nowhere");
  const ImageTree opaque = tree_of({below, layer([](TarWriter& tar) {
                                      tar.file("etc/new", 0644, "");
                                      tar.file("etc/.wh..wh..opq", 0644, "");
                                    })});
  CHECK(opaque.entries_of("/etc") == std::vector<std::string>{"etc/new"});
}

TEST_CASE("a name below a link of an earlier layer is where the link leads") {
  const ImageTree tree = tree_of({layer([](TarWriter& tar) { tar.symlink("lib", "usr/lib"); }),
                                  layer([](TarWriter& tar) { tar.file("lib/x.so", 0644, ""); })});
  CHECK(leads_to(tree, "/usr/lib/x.so") == "usr/lib/x.so");
}

TEST_CASE("hard links and devices, as any image may have them, are read") {
  const os::TempDir folder;
  os::atomic_write(folder.path() / "perl", "x", 0755);
  fs::create_hard_link(folder.path() / "perl", folder.path() / "perl5.36");
  const std::string tar = gnu_tar(folder.path());
  const ImageTree tree = tree_of({read(tar, 1)});
  CHECK(tree.find("/perl5.36")->node->mode == tree.find("/perl")->node->mode);
  CHECK(tree.find("/perl5.36")->node->kind == TarEntry::Kind::file);
  // Writers that leave out the end: everything before it counts.
  CHECK(read(tar.substr(0, 512)).size() == 1);
  CHECK_THROWS_AS(read(tar.substr(0, 700)), FormatError);
  CHECK(read(tar.substr(0, 512 + 512 + 1)).size() == 2);
  CHECK_THROWS_AS(read(tar.substr(0, 512 + 512)), FormatError);
}

TEST_CASE("of a file only what checks read is kept, and of the store only what they look for") {
  const std::string loader = std::string("\x7f") + "ELF.../ab" + '\0' + "/lib/x/" + '\0' +
                             "/nix/store/g/lib/" + '\0' + "/no" + '\0' + "/%s/" + '\0' + "/lib/x/";
  const LayerNames names = layer([&](TarWriter& tar) {
    tar.file("etc/os-release", 0644, "ID=x\n");
    tar.file("etc/hosts", 0644, "not read");
    tar.file("lib64/ld-linux-x86-64.so.2", 0755, loader);
    tar.directory("nix/store/a", 0555);
    tar.file("nix/store/a/readme", 0444, "");
    tar.file("nix/store/a/ca-bundle.crt", 0444, "");
    tar.file("nix/store/a/libx.so.1", 0444, "");
  });
  REQUIRE(names.size() == 5);
  CHECK(names[0].second.content == "ID=x\n");
  CHECK(names[1].second.content.empty());
  CHECK(names[2].second.content.empty());
  CHECK(names[2].second.folders == std::vector<std::string>{"/lib/x/", "/nix/store/g/lib/"});
  CHECK(names[3].first == "nix/store/a/ca-bundle.crt");
  CHECK(names[4].first == "nix/store/a/libx.so.1");
}

TEST_CASE("an image with more names than memory is refused") {
  std::string text;
  TarWriter tar([&](ByteView bytes) { text += text_of(bytes); });
  tar.file("a", 0644, "");
  tar.file("b", 0644, "");
  tar.finish();
  CHECK_NOTHROW(read(text, 1000, 1000));
  CHECK_THROWS_AS(read(text, 1000, 300), FormatError);
}

}  // namespace seed::image
