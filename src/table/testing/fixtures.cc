#include "table/testing/fixtures.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "base/check.h"
#include "io/fs.h"
#include "table/canonical.h"
#include "table/internal/format_value.h"

namespace sluice::table::testing {

ScratchFolder::ScratchFolder() {
  path_ = "/tmp/sluice-table-test-XXXXXX";
  CHECK(mkdtemp(path_.data()) != nullptr);
}

ScratchFolder::~ScratchFolder() { CHECK(io::RealFs().RemoveTree(path_).ok()); }

std::string ScratchFolder::Path(std::string_view name) const { return io::JoinPath(path_, name); }

std::string ScratchFolder::Write(std::string_view name, std::string_view bytes) const {
  std::string path = Path(name);
  CHECK(io::RealFs().WriteFileAtomic(path, bytes, io::Durability::kFast).ok());
  return path;
}

std::string ShowTable(const arrow::Table& table) {
  std::string out;
  for (int i = 0; i < table.num_columns(); ++i) {
    std::optional<ColumnType> type = CanonicalType(*table.field(i)->type());
    out += fmt::format("{}{}:{}", i == 0 ? "" : " ", table.field(i)->name(),
                       type ? ColumnTypeName(*type) : "?");
  }
  out += '\n';
  arrow::TableBatchReader reader(table);
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    CHECK(reader.ReadNext(&batch).ok());
    if (batch == nullptr) return out;
    CHECK(batch->ValidateFull().ok());
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      for (int i = 0; i < batch->num_columns(); ++i) {
        if (i > 0) out += '|';
        if (batch->column(i)->IsNull(row)) {
          out += "NULL";
        } else {
          internal::AppendValue(*batch->column(i), row, out);
        }
      }
      out += '\n';
    }
  }
}

std::string ReadShown(std::string_view text, const ReadOptions& options, std::string_view name) {
  ScratchFolder folder;
  Result<ReadOutcome> outcome = ReadTable({folder.Write(name, text)}, options);
  if (!outcome.ok()) {
    std::string message = "ERROR: " + outcome.error().ToString();
    std::string prefix = folder.Path("");
    for (size_t at = message.find(prefix); at != std::string::npos; at = message.find(prefix))
      message.erase(at, prefix.size());
    return message;
  }
  return ShowTable(*outcome->table);
}

namespace {

double RandomDouble(Random& random) {
  for (;;) {
    uint64_t kind = random.NextBelow(4);
    double value = kind == 0   ? random.NextGaussian()
                   : kind == 1 ? std::round(random.NextGaussian() * 1000) / 100
                   : kind == 2 ? static_cast<double>(random.NextBelow(1000))
                               : std::bit_cast<double>(random.NextU64());
    if (std::isfinite(value)) return value;
  }
}

std::string RandomString(Random& random) {
  static constexpr std::string_view kPieces[] = {"word", "\"", ",",  "\n", "\r\n", "é", "漢",
                                                 " ",    ";",  "''", "x",  "\t",   "#"};
  std::string text = "t";
  for (uint64_t n = random.NextBelow(6); n > 0; --n)
    text += kPieces[random.NextBelow(std::size(kPieces))];
  if (random.NextBelow(50) == 0) text.append(random.NextBelow(400), 'y');
  if (random.NextBelow(20) == 0) text.clear();
  if (random.NextBelow(20) == 0) text = "NA";
  return text;
}

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> RandomColumn(Builder& builder, Random& random, int64_t row_count,
                                           Make&& make) {
  for (int64_t i = 0; i < row_count; ++i) {
    bool is_null = i > 0 && random.NextBelow(8) == 0;
    CHECK((is_null ? builder.AppendNull() : builder.Append(make())).ok());
  }
  return builder.Finish().ValueOrDie();
}

}  // namespace

std::shared_ptr<arrow::Table> RandomTable(Random& random, int64_t row_count) {
  arrow::BooleanBuilder bools;
  arrow::Int64Builder integers;
  arrow::DoubleBuilder doubles;
  arrow::StringBuilder strings;
  arrow::Date32Builder dates;
  arrow::TimestampBuilder times(ArrowType(ColumnType::kTimestamp), arrow::default_memory_pool());
  auto below = [&](int64_t bound) {
    return static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(bound)));
  };
  arrow::ArrayVector columns = {
      RandomColumn(bools, random, row_count, [&] { return random.NextBelow(2) == 0; }),
      RandomColumn(
          integers, random, row_count,
          [&] { return std::bit_cast<int64_t>(random.NextU64()) >> random.NextBelow(64); }),
      RandomColumn(doubles, random, row_count, [&] { return RandomDouble(random); }),
      RandomColumn(strings, random, row_count, [&] { return RandomString(random); }),
      RandomColumn(dates, random, row_count,
                   [&] { return static_cast<int32_t>(below(3'000'000) - 700'000); }),
      RandomColumn(
          times, random, row_count,
          [&] { return (below(3'000'000) - 700'000) * 86'400'000'000 + below(86'400'000'000); }),
  };
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    fields.push_back(arrow::field(
        std::string(ColumnTypeName(static_cast<ColumnType>(i))) + " \"col\"", columns[i]->type()));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), columns, row_count);
}

}  // namespace sluice::table::testing
