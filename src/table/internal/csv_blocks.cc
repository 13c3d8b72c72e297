#include "table/internal/csv_blocks.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluice::table::internal {

namespace {

using ClassifyFunction = void (*)(const char*, size_t, const BlockCharacters&, BlockMasks*,
                                  ByteTraits&);

#if defined(__x86_64__)

void ClassifySse2(const char* bytes, size_t block_count, const BlockCharacters& characters,
                  BlockMasks* masks, ByteTraits& traits) {
  const __m128i delimiter = _mm_set1_epi8(characters.delimiter);
  const __m128i line_end = _mm_set1_epi8(characters.line_end);
  const __m128i quote = _mm_set1_epi8(characters.quote);
  __m128i all_or = _mm_setzero_si128();
  __m128i all_min = _mm_set1_epi8(-1);
  for (size_t block = 0; block < block_count; ++block, bytes += kBlockBytes) {
    BlockMasks result{};
    for (unsigned part = 0; part < 4; ++part) {
      __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * part));
      all_or = _mm_or_si128(all_or, v);
      all_min = _mm_min_epu8(all_min, v);
      auto mask = [&](__m128i wanted) {
        return uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, wanted)))}
               << (16 * part);
      };
      result.delimiters |= mask(delimiter);
      result.line_ends |= mask(line_end);
      result.quotes |= mask(quote);
    }
    masks[block] = result;
  }
  traits.has_non_ascii |= _mm_movemask_epi8(all_or) != 0;
  traits.has_nul |= _mm_movemask_epi8(_mm_cmpeq_epi8(all_min, _mm_setzero_si128())) != 0;
}

__attribute__((target("avx2"))) inline uint64_t Mask64(__m256i low, __m256i high, __m256i wanted) {
  uint64_t low_mask = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)));
  uint64_t high_mask = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)));
  return low_mask | high_mask << 32;
}

__attribute__((target("avx2"))) void ClassifyAvx2(const char* bytes, size_t block_count,
                                                  const BlockCharacters& characters,
                                                  BlockMasks* masks, ByteTraits& traits) {
  const __m256i delimiter = _mm256_set1_epi8(characters.delimiter);
  const __m256i line_end = _mm256_set1_epi8(characters.line_end);
  const __m256i quote = _mm256_set1_epi8(characters.quote);
  __m256i all_or = _mm256_setzero_si256();
  __m256i all_min = _mm256_set1_epi8(-1);
  for (size_t block = 0; block < block_count; ++block, bytes += kBlockBytes) {
    __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32));
    all_or = _mm256_or_si256(all_or, _mm256_or_si256(low, high));
    all_min = _mm256_min_epu8(all_min, _mm256_min_epu8(low, high));
    masks[block] = {Mask64(low, high, delimiter), Mask64(low, high, line_end),
                    Mask64(low, high, quote)};
  }
  traits.has_non_ascii |= _mm256_movemask_epi8(all_or) != 0;
  traits.has_nul |= _mm256_movemask_epi8(_mm256_cmpeq_epi8(all_min, _mm256_setzero_si256())) != 0;
}

ClassifyFunction Choose() { return __builtin_cpu_supports("avx2") ? ClassifyAvx2 : ClassifySse2; }

#else

void ClassifyPlain(const char* bytes, size_t block_count, const BlockCharacters& characters,
                   BlockMasks* masks, ByteTraits& traits) {
  for (size_t block = 0; block < block_count; ++block, bytes += kBlockBytes) {
    BlockMasks result{};
    for (unsigned i = 0; i < kBlockBytes; ++i) {
      result.delimiters |= uint64_t{bytes[i] == characters.delimiter} << i;
      result.line_ends |= uint64_t{bytes[i] == characters.line_end} << i;
      result.quotes |= uint64_t{bytes[i] == characters.quote} << i;
      traits.has_non_ascii |= (static_cast<unsigned char>(bytes[i]) & 0x80) != 0;
      traits.has_nul |= bytes[i] == 0;
    }
    masks[block] = result;
  }
}

ClassifyFunction Choose() { return ClassifyPlain; }

#endif

}  // namespace

void ClassifyBlocks(const char* bytes, size_t block_count, const BlockCharacters& characters,
                    BlockMasks* masks, ByteTraits& traits) {
  static const ClassifyFunction classify = Choose();
  classify(bytes, block_count, characters, masks, traits);
}

}  // namespace sluice::table::internal
