// The only code that depends on the processor: which bytes of 64 matter to a CSV tokenizer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::table::internal {

inline constexpr size_t kBlockBytes = 64;

/// Bit i of each mask is byte i of the block.
struct BlockMasks {
  uint64_t delimiters;
  uint64_t line_ends;
  uint64_t quotes;
};

/// What is looked for. Without quotes in the dialect, `quote` is the line end and the quote masks
/// are to be ignored.
struct BlockCharacters {
  char delimiter;
  char line_end;
  char quote;
};

/// What any of the bytes had.
struct ByteTraits {
  bool has_non_ascii = false;
  bool has_nul = false;
};

/// Fills masks[0..block_count) from block_count * 64 bytes and adds to `traits`. Pure. Uses AVX2
/// where the processor has it, else SSE2 (every x86-64 has that), else plain C++.
void ClassifyBlocks(const char* bytes, size_t block_count, const BlockCharacters& characters,
                    BlockMasks* masks, ByteTraits& traits);

}  // namespace sluice::table::internal
