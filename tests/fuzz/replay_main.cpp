// Runs a fuzz target over files instead of a fuzzer: every build proves that the corpus passes.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

/// Names of files as they are, and all files below names of folders, sorted.
std::vector<fs::path> inputs_of(int count, char** names) {
  std::vector<fs::path> files;
  for (int i = 0; i < count; ++i) {
    if (!fs::is_directory(names[i])) {
      files.emplace_back(names[i]);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(names[i])) {
      if (entry.is_regular_file()) {
        files.push_back(entry.path());
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void run_input(const std::string& input) {
  // A copy of exactly this size, so that a sanitizer sees a read past the end.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::string current = "the empty input";
  try {
    run_input("");
    const auto files = inputs_of(argc - 1, argv + 1);
    for (const auto& file : files) {
      current = file.string();
      std::ifstream stream(file, std::ios::binary);
      if (!stream) {
        std::fprintf(stderr, "%s can't be read\n", current.c_str());
        return 1;
      }
      run_input({std::istreambuf_iterator<char>(stream), {}});
    }
    std::printf("%zu inputs and the empty one passed\n", files.size());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: escaped exception: %s\n", current.c_str(), error.what());
    return 1;
  }
}
