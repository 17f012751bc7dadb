#include "image/first_reads.hpp"

#include <filesystem>

#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/made_library.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSource = "/nix/store/00000000000000000000000000000000-source";

struct Store {
  os::TempDir temp;
  fs::path folder = fs::canonical(temp.path()) / "store";

  std::string put(const std::string& name, const std::string& content) const {
    os::make_dirs((folder / name).parent_path());
    os::atomic_write(folder / name, content);
    return (folder / name).string();
  }

  std::vector<std::string> reads(std::map<std::string, std::string> programs,
                                 std::map<std::string, std::string> libraries = {}) const {
    const Tools tools{.nix = nix::StorePath::parse(kSource),
                      .programs = std::move(programs),
                      .libraries = std::move(libraries)};
    const std::vector sources{nix::StorePath::parse(kSource)};
    return first_reads(tools, sources, folder.string());
  }
};

}  // namespace

TEST_CASE("a wrapper is followed to what it starts, and no farther than the store") {
  const Store store;
  const std::string shell = store.put("bash/bin/bash", "no script");
  const std::string inner = store.put("nix/libexec/nix", "no script either: " + shell);
  const std::string wrapper = store.put(
      "nix/bin/nix", "#!" + shell + "\nexport A=/etc/passwd\nexec -a x '" + inner + "' \"$@\"\n");
  const std::string git = store.put("git/bin/git", "#!" + shell + "\nexec /bin/sh\n");
  fs::create_symlink("git/bin/git", store.folder / "link");
  CHECK(store.reads({{"nix", wrapper}, {"git", (store.folder / "link").string()}, {"ls", inner}}) ==
        std::vector<std::string>{wrapper, git, shell, inner, kSource});
}

TEST_CASE("a program is followed to the libraries that its loader finds, and to theirs") {
  const Store store;
  const std::string deep = store.put("deep/lib/libdeep.so", "no ELF file");
  const std::string real = store.put(
      "near/libnear.so.1.2",
      test::MadeLibrary({"libdeep.so"}, "/nowhere:" + (store.folder / "deep/lib").string())
          .bytes());
  fs::create_symlink("libnear.so.1.2", store.folder / "near/libnear.so.1");
  const std::string program = store.put(
      "bin/nix", test::MadeLibrary({"libnear.so.1", "libgone.so"}, "$ORIGIN/../near").bytes());
  CHECK(store.reads({{"nix", program}}) == std::vector<std::string>{program, real, deep, kSource});
}

TEST_CASE("libraries that no folder has are the image's own") {
  const Store store;
  const std::string own = store.put("tools/lib/libown.so.1", "no ELF file");
  const std::string program = store.put(
      "tools/bin/nix", test::MadeLibrary({"libown.so.1", "libother.so"}, "/nowhere").bytes());
  CHECK(store.reads({{"nix", program}}, {{"libown.so.1", own}}) ==
        std::vector<std::string>{program, own, kSource});
}

TEST_CASE("programs that are missing are left out") {
  const Store store;
  CHECK(store.reads({}) == std::vector<std::string>{kSource});
  CHECK(store.reads({{"nix", "/nowhere/nix"}, {"git", store.folder.string()}}) ==
        std::vector<std::string>{kSource});
}

}  // namespace seed::image
