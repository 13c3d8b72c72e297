#include "data/internal/pattern.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <fmt/format.h>

#include "base/check.h"

namespace sluice::data::internal {

namespace {

arrow::Result<arrow::Datum> Match(const std::shared_ptr<arrow::Array>& texts,
                                  const std::string& pattern) {
  // Registers Arrow's functions once; later calls cost nothing.
  arrow::Status initialized = arrow::compute::Initialize();
  if (!initialized.ok()) return initialized;
  arrow::compute::MatchSubstringOptions options("\\A(?:" + pattern + ")\\z");
  return arrow::compute::CallFunction("match_substring_regex", {texts}, &options);
}

}  // namespace

Status CheckPattern(const std::string& pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return ResourceExhausted(fmt::format("the expression has {} bytes; at most {} are allowed",
                                         pattern.size(), kMaxPatternBytes));
  }
  // Alone first: "a)(b" is only wrong without our parentheses.
  arrow::StringBuilder builder;
  std::shared_ptr<arrow::Array> probe;
  CHECK(builder.Append("").ok() && builder.Finish(&probe).ok());
  arrow::compute::MatchSubstringOptions options(pattern);
  arrow::Status status = arrow::compute::Initialize();
  if (status.ok())
    status = arrow::compute::CallFunction("match_substring_regex", {probe}, &options).status();
  if (status.ok()) status = Match(probe, pattern).status();
  if (status.ok()) return Ok();
  return InvalidArgument(
      fmt::format("'{}' is no regular expression (RE2): {}", pattern, status.message()));
}

std::shared_ptr<arrow::BooleanArray> MatchPattern(const std::shared_ptr<arrow::Array>& texts,
                                                  const std::string& pattern) {
  arrow::Result<arrow::Datum> matches = Match(texts, pattern);
  CHECK_MSG(matches.ok(), matches.status().ToString());
  return std::static_pointer_cast<arrow::BooleanArray>(matches->make_array());
}

}  // namespace sluice::data::internal
