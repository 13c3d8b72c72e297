#include "table/internal/json_cells.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/type.h>

#include <utility>

#include "base/check.h"
#include "table/internal/arrow_status.h"

namespace sluice::table::internal {

namespace {

std::string_view CellText(const JsonCell& cell, std::string& scratch) {
  if (!cell.has_escapes) return cell.text;
  scratch.clear();
  UnescapeJson(cell.text, scratch);
  return scratch;
}

/// Makes room behind a text for the number parser, which reads a few bytes on.
std::string_view Slack(std::string_view text, std::string& buffer) {
  buffer.assign(text);
  buffer.reserve(text.size() + 64);
  return buffer;
}

template <typename Builder, typename Append>
Result<std::shared_ptr<arrow::Array>> Build(Builder& builder, const std::vector<JsonCell>& cells,
                                            Append&& append) {
  ARROW_RETURN_IF_ERROR("decode", builder.Reserve(static_cast<int64_t>(cells.size())));
  for (const JsonCell& cell : cells) {
    ARROW_RETURN_IF_ERROR("decode",
                          cell.kind == JsonKind::kNull ? builder.AppendNull() : append(cell));
  }
  ARROW_ASSIGN(std::shared_ptr<arrow::Array> array, "decode", builder.Finish());
  return array;
}

}  // namespace

KindSet JsonCells::Kind(const JsonCell& cell, Scratch& scratch) const {
  switch (cell.kind) {
    case JsonKind::kNull: return kNoKind;
    case JsonKind::kTrue:
    case JsonKind::kFalse: return kBoolKind;
    case JsonKind::kNumber:
      return rules_.Kind(Slack(cell.text, scratch.padded), /*is_quoted=*/false);
    case JsonKind::kNested: return kNestedKind;
    case JsonKind::kString: break;
  }
  std::string_view text = CellText(cell, scratch.unescaped);
  KindSet kind = string_rules_.Kind(text, /*is_quoted=*/true);
  // Blanks around or instead of a date are text in JSON.
  bool is_exact = !text.empty() && text.front() != ' ' && text.back() != ' ';
  return kind == kNoKind || !is_exact ? kTextKind : kind;
}

bool JsonCells::Convert(const JsonCell& cell, ColumnType type, bool is_given, Converted& out,
                        Scratch& scratch) const {
  const NumberForm form = is_given ? NumberForm::kGiven : NumberForm::kInferred;
  const auto text = [&] { return Slack(CellText(cell, scratch.unescaped), scratch.padded); };
  if (cell.kind == JsonKind::kNested) return false;
  switch (type) {
    case ColumnType::kBool:
      if (cell.kind != JsonKind::kString) out.truth = cell.kind == JsonKind::kTrue;
      if (cell.kind == JsonKind::kTrue || cell.kind == JsonKind::kFalse) return true;
      return rules_.ToBool(text(), form, out.truth);
    case ColumnType::kInt64: return rules_.ToInt64(text(), form, out.integer);
    case ColumnType::kDouble: return rules_.ToDouble(text(), form, out.number);
    case ColumnType::kTimestamp: return rules_.ToTimestamp(text(), form, out.integer);
    case ColumnType::kDate: return rules_.ToDate(CellText(cell, scratch.unescaped), out.days);
    case ColumnType::kString: return true;
  }
  return false;
}

Result<std::shared_ptr<arrow::Array>> JsonCells::MakeColumn(const std::vector<JsonCell>& cells,
                                                            ColumnType type, bool is_given) const {
  Scratch scratch;
  Converted value;
  auto convert = [&](const JsonCell& cell) {
    CHECK(Convert(cell, type, is_given, value, scratch));
  };
  switch (type) {
    case ColumnType::kBool: {
      arrow::BooleanBuilder builder;
      return Build(builder, cells, [&](const JsonCell& cell) {
        return convert(cell), builder.Append(value.truth);
      });
    }
    case ColumnType::kInt64: {
      arrow::Int64Builder builder;
      return Build(builder, cells, [&](const JsonCell& cell) {
        return convert(cell), builder.Append(value.integer);
      });
    }
    case ColumnType::kDouble: {
      arrow::DoubleBuilder builder;
      return Build(builder, cells, [&](const JsonCell& cell) {
        return convert(cell), builder.Append(value.number);
      });
    }
    case ColumnType::kDate: {
      arrow::Date32Builder builder;
      return Build(builder, cells,
                   [&](const JsonCell& cell) { return convert(cell), builder.Append(value.days); });
    }
    case ColumnType::kTimestamp: {
      arrow::TimestampBuilder builder(ArrowType(type), arrow::default_memory_pool());
      return Build(builder, cells, [&](const JsonCell& cell) {
        return convert(cell), builder.Append(value.integer);
      });
    }
    case ColumnType::kString: break;
  }
  arrow::StringBuilder builder;
  return Build(builder, cells, [&](const JsonCell& cell) {
    return builder.Append(CellText(cell, scratch.unescaped));
  });
}

}  // namespace sluice::table::internal
