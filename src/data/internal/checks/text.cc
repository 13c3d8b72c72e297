#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <fmt/format.h>

#include "data/internal/checks/check_kind.h"
#include "data/internal/pattern.h"

namespace sluice::data::internal {

namespace {

int64_t CountCharacters(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += (static_cast<uint8_t>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

/// Texts shorter (sign -1) or longer (1) than the limit.
void CheckLength(const ColumnContext& context, std::string_view name, const Limit<int64_t>& limit,
                 int sign, FindingSink& sink) {
  sink.CountCheck();
  FailingRows rows;
  int64_t furthest = limit.value;
  context.reader.ForEach([&](int64_t row, const CellView& view) {
    const std::string_view* text = std::get_if<std::string_view>(&view);
    if (text == nullptr) return;
    int64_t length = CountCharacters(*text);
    if ((length - limit.value) * sign <= 0) return;
    if ((length - furthest) * sign > 0) furthest = length;
    rows.Add(row, [&] { return FormatView(view, ColumnType::kString); });
  });
  if (rows.count == 0) return;
  Finding finding = MakeFinding(
      name, limit.severity, context.schema.name, std::move(rows), context.reader.row_count(),
      fmt::format("column '{}' must have at {} {} characters, but has {}", context.schema.name,
                  sign < 0 ? "least" : "most", limit.value, sign < 0 ? "fewer" : "more"));
  finding.measured = furthest;
  finding.limit = limit.value;
  sink.Add(std::move(finding));
}

}  // namespace

void CheckMinLength(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (context.schema.min_length) CheckLength(context, name, *context.schema.min_length, -1, sink);
}

void CheckMaxLength(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (context.schema.max_length) CheckLength(context, name, *context.schema.max_length, 1, sink);
}

void CheckPatternMatch(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (!context.schema.pattern) return;
  sink.CountCheck();
  const Limit<std::string>& limit = *context.schema.pattern;
  FailingRows rows;
  int64_t start = 0;
  for (const std::shared_ptr<arrow::Array>& chunk : context.reader.column()->chunks()) {
    std::shared_ptr<arrow::BooleanArray> matches = MatchPattern(chunk, limit.value);
    for (int64_t i = 0; i < matches->length(); ++i) {
      if (matches->IsNull(i) || matches->Value(i)) continue;
      rows.Add(start + i,
               [&] { return FormatView(context.reader.At(start + i), ColumnType::kString); });
    }
    start += chunk->length();
  }
  if (rows.count == 0) return;
  Finding finding = MakeFinding(
      name, limit.severity, context.schema.name, std::move(rows), context.reader.row_count(),
      fmt::format("column '{}' must match '{}', but does not", context.schema.name, limit.value));
  finding.measured = finding.samples.front().value;
  finding.limit = limit.value;
  sink.Add(std::move(finding));
}

}  // namespace sluice::data::internal
