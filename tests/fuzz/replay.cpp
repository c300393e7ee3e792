// SPDX-License-Identifier: GPL-2.0-or-later
// Instead of libFuzzer's main(): runs each file of the given directories once, in the order of their names.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// The number of files.
std::size_t replay(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    // Said before it runs, for it may not return.
    std::fprintf(stderr, "%s\n", path.c_str());
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> octets{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> input(octets.begin(), octets.end());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return paths.size();
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::size_t files = 0;
    for (int i = 1; i < count; ++i) files += replay(arguments[i]);
    std::printf("%zu files\n", files);
    return files == 0 ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
