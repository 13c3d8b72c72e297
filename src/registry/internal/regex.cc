#include "registry/internal/regex.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace sluice::registry::internal {
namespace {

constexpr uint32_t kMaxSteps = 1'000'000;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* value) const {
    kFree(value);
  }
};

std::string Explain(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

PCRE2_SPTR Bytes(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
}

}  // namespace

Result<bool> HoldsMatch(std::string_view regex, std::string_view text) {
  int code = 0;
  PCRE2_SIZE at = 0;
  std::unique_ptr<pcre2_code, Free<pcre2_code_free>> compiled(
      pcre2_compile(Bytes(regex), regex.size(), PCRE2_UTF | PCRE2_UCP, &code, &at, nullptr));
  if (compiled == nullptr) {
    return InvalidArgument(
        fmt::format("'{}' is no regular expression: {} at byte {}", regex, Explain(code), at));
  }
  std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>> context(
      pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), kMaxSteps);
  std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>> data(
      pcre2_match_data_create_from_pattern(compiled.get(), nullptr));
  int count =
      pcre2_match(compiled.get(), Bytes(text), text.size(), 0, 0, data.get(), context.get());
  if (count >= 0) return true;
  if (count == PCRE2_ERROR_NOMATCH) return false;
  return ResourceExhausted(
      fmt::format("matching against '{}' was given up: {}", regex, Explain(count)));
}

}  // namespace sluice::registry::internal
