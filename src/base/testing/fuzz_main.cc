// Runs a libFuzzer entry point without libFuzzer, as an ordinary test: every corpus file as it is,
// then some thousand mutations of them from a fixed seed. `<program> CORPUS [seed]`; a finding is a
// crash.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationCount = 4000;
constexpr size_t kMaxInputBytes = 1 << 16;

void RunOne(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string Mutate(std::string input, const std::vector<std::string>& corpus,
                   sluice::Random& random) {
  static constexpr char kInteresting[] = "\"'{}[]:,&*|>-#!%@`\n\r\t\\ \0\x7f\xff\xef\xbb\xbf";
  int edit_count = 1 + static_cast<int>(random.NextBelow(8));
  for (int i = 0; i < edit_count; ++i) {
    size_t at = input.empty() ? 0 : random.NextBelow(input.size() + 1);
    switch (random.NextBelow(6)) {
      case 0: input.insert(at, 1, kInteresting[random.NextBelow(sizeof kInteresting - 1)]); break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(random.NextBelow(256));
        break;
      case 2: input.erase(at, random.NextBelow(16)); break;
      case 3: {
        std::string piece = input.substr(at, random.NextBelow(64));
        for (uint64_t n = random.NextBelow(8); n > 0; --n) input.insert(at, piece);
        break;
      }
      case 4: {
        const std::string& other = corpus[random.NextBelow(corpus.size())];
        size_t from = random.NextBelow(other.size() + 1);
        input.insert(at, other.substr(from, random.NextBelow(128)));
        break;
      }
      default:
        input.insert(at, random.NextBelow(300),
                     kInteresting[random.NextBelow(sizeof kInteresting - 1)]);
    }
  }
  if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> corpus{""};
  if (argc > 1 && std::filesystem::is_directory(argv[1])) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
      std::ifstream file(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  std::printf("%zu corpus inputs, %d mutations, seed %llu\n", corpus.size() - 1, kMutationCount,
              static_cast<unsigned long long>(seed));
  for (const std::string& input : corpus) RunOne(input);
  sluice::Random random(seed);
  for (int i = 0; i < kMutationCount; ++i) {
    RunOne(Mutate(corpus[random.NextBelow(corpus.size())], corpus, random));
  }
  return 0;
}
