// CSV files cut into chunks that are tokenized and decoded in parallel, with the result of reading
// from the beginning.
//
// The problem: whether a line end ends a row depends on every quote before it, so chunks cannot be
// cut without reading all that comes before. The idea: guess, then check. A chunk is a fixed range
// of bytes and owns the rows that begin in it. A thread guesses that the first row begins behind
// the first line end, tokenizes from there to the end of the row that crosses the range's end, and
// then compares its guess with where the chunk before really ended. Those ends are known in order:
// chunk 0 needs no guess, and each checked chunk fixes the next one's beginning. A wrong guess (the
// range began inside a quoted field with line ends) costs one more tokenizing, nothing else, for
// rows are decoded only behind the check. Chunks are handed out in order, so the one before is
// always being worked on: no deadlock. What comes out depends on the bytes and the chunk size
// alone; rows and types do not depend on the chunk size either.
//
// Types: the beginning of each file suggests them. A chunk that meets a value that does not fit
// reports all kinds that it has in that column; united over all chunks they give the final type,
// and everything is read once more.
#include "table/internal/csv_source.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/guarded.h"
#include "table/internal/column_choice.h"
#include "table/internal/csv_column.h"
#include "table/internal/csv_layout.h"
#include "table/internal/csv_rows.h"
#include "table/internal/text_input.h"
#include "table/internal/text_report.h"
#include "table/internal/utf8.h"

namespace sluice::table::internal {

namespace {

constexpr size_t kReadableBytesBehind = 32;  // what DecodeColumn needs
constexpr size_t kSampleBytes = size_t{256} << 10;
constexpr size_t kMinChunkBytes = 1;
constexpr size_t kMaxChunkBytes = size_t{256} << 20;
constexpr int64_t kUnknown = -1;  // of Boundary::end
constexpr int64_t kBroken = -2;   // an earlier chunk failed: there are no rows here

struct CsvFile {
  TextInput input;
  CsvLayout layout;
  std::vector<std::optional<size_t>> positions;  // of the table's columns
  size_t first_chunk = 0;
  size_t chunk_count = 0;
};

/// Memory that one chunk needs while it is read, kept for the next.
struct Workspace {
  CsvTokens tokens;
  CsvRows rows;
  std::string padded;
};

/// Good rows of a region, ready to be decoded.
struct Region {
  std::string_view text;  // with kReadableBytesBehind
  size_t begin = 0;       // in the file's text
};

class CsvSource : public ChunkSource {
 public:
  CsvSource(std::vector<CsvFile> files, ColumnChoice choice, ValueRules rules,
            const ReadOptions& options)
      : files_(std::move(files)), rules_(std::move(rules)), options_(options) {
    chunk_bytes_ = std::clamp(options.chunk_size_bytes, kMinChunkBytes, kMaxChunkBytes);
    for (size_t i = 0; i < files_.size(); ++i) {
      CsvFile& file = files_[i];
      file.positions = std::move(choice.positions[i]);
      file.first_chunk = chunk_count_;
      size_t size = file.input.text().size() - file.layout.data_begin;
      file.chunk_count = std::max<size_t>(1, (size + chunk_bytes_ - 1) / chunk_bytes_);
      chunk_count_ += file.chunk_count;
      reports_.emplace_back(file.input.path(), file.input.text(), file.layout.syntax.line_end);
    }
    for (std::string& name : choice.names) {
      ColumnPlan& plan = plans_.emplace_back();
      plan.name = std::move(name);
      auto given = options_.types.find(plan.name);
      plan.is_given = given != options_.types.end();
      if (plan.is_given) plan.type = given->second;
    }
    kinds_.assign(plans_.size(), kNoKind);
    Restart();
  }

  /// Looks at the beginning of each file for provisional types.
  Status LookAtBeginnings() {
    Workspace workspace;
    for (size_t i = 0; i < files_.size(); ++i) {
      const CsvFile& file = files_[i];
      std::string_view text = file.input.text().substr(file.layout.data_begin);
      CsvRegion wanted{.text = text,
                       .wanted_bytes = std::min(kSampleBytes, chunk_bytes_),
                       .max_row_bytes = static_cast<size_t>(options_.limits.max_row_bytes)};
      TokenizeCsv(wanted, file.layout.syntax, workspace.tokens);
      Region region = PadRegion(file, file.layout.data_begin, workspace);
      ChunkResult ignored;
      ASSIGN_OR_RETURN(std::vector<DecodedColumn> given,
                       SelectGoodRows(i, region, workspace, ignored));
      for (size_t column = 0; column < plans_.size(); ++column) {
        if (plans_[column].is_given || !file.positions[column]) continue;
        kinds_[column] |= FindKinds(region.text, workspace.rows, *file.positions[column],
                                    file.layout.syntax, rules_);
      }
    }
    SetTypes();
    return Ok();
  }

  size_t chunk_count() const override { return chunk_count_; }
  size_t FileOfChunk(size_t chunk_index) const override {
    auto behind = std::upper_bound(
        files_.begin(), files_.end(), chunk_index,
        [](size_t index, const CsvFile& file) { return index < file.first_chunk; });
    return static_cast<size_t>(behind - files_.begin()) - 1;
  }
  std::vector<FileFacts> files() const override {
    std::vector<FileFacts> facts;
    for (const CsvFile& file : files_) {
      facts.push_back({.path = file.input.path(),
                       .format = Format::kCsv,
                       .size_bytes = file.input.size_bytes(),
                       .row_count = 0,
                       .delimiter = file.layout.syntax.delimiter,
                       .encoding = file.input.encoding()});
    }
    return facts;
  }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  bool has_final_types() const override { return has_final_types_; }

  void WidenTypes(const std::vector<std::pair<size_t, KindSet>>& misfits) override {
    for (const auto& [column, kinds] : misfits) kinds_[column] |= kinds;
    has_final_types_ = true;
    SetTypes();
    Restart();
  }

  void Restart() override { boundaries_ = std::vector<Boundary>(chunk_count_); }

  Result<ChunkResult> ReadChunk(size_t chunk_index) override {
    std::unique_ptr<Workspace> workspace = TakeWorkspace();
    Result<ChunkResult> result = ReadChunk(chunk_index, *workspace);
    ReturnWorkspace(std::move(workspace));
    return result;
  }

  BadRow Describe(const ChunkProblem& problem) override {
    return reports_[problem.file_index].Describe(problem);
  }
  Error ErrorOf(const ChunkProblem& problem) override {
    return reports_[problem.file_index].ErrorOf(problem);
  }

 private:
  /// Where a chunk's last row really ends, in the file's text; kUnknown until checked.
  struct Boundary {
    std::atomic<int64_t> end{kUnknown};
  };

  void SetTypes() {
    arrow::FieldVector fields;
    for (size_t i = 0; i < plans_.size(); ++i) {
      ColumnPlan& plan = plans_[i];
      if (!plan.is_given) {
        plan.type = TypeOfKinds(kinds_[i]);
        plan.is_null_only = kinds_[i] == kNoKind && !has_final_types_;
      }
      fields.push_back(arrow::field(plan.name, ArrowType(plan.type)));
    }
    has_final_types_ |= std::all_of(plans_.begin(), plans_.end(), [](const ColumnPlan& plan) {
      return plan.is_given || (plan.type == ColumnType::kString && !plan.is_null_only);
    });
    schema_ = arrow::schema(std::move(fields));
  }

  std::unique_ptr<Workspace> TakeWorkspace() {
    return workspaces_.With([](std::vector<std::unique_ptr<Workspace>>& free) {
      if (free.empty()) return std::make_unique<Workspace>();
      std::unique_ptr<Workspace> workspace = std::move(free.back());
      free.pop_back();
      return workspace;
    });
  }
  void ReturnWorkspace(std::unique_ptr<Workspace> workspace) {
    workspaces_.With([&](std::vector<std::unique_ptr<Workspace>>& free) {
      free.push_back(std::move(workspace));
    });
  }

  /// The tokenized bytes, copied if there is nothing to read behind them.
  Region PadRegion(const CsvFile& file, size_t begin, Workspace& workspace) const {
    std::string_view text = file.input.text().substr(begin);
    size_t size = workspace.tokens.size_bytes;
    if (text.size() - size < kReadableBytesBehind) {
      workspace.padded.assign(text.substr(0, size));
      workspace.padded.resize(size + kReadableBytesBehind);
      return {std::string_view(workspace.padded).substr(0, size), begin};
    }
    return {text.substr(0, size), begin};
  }

  /// Finds good rows and decodes the columns of given type, which may turn rows into bad ones.
  /// The result has an entry per column; those of inferred type are empty.
  Result<std::vector<DecodedColumn>> SelectGoodRows(size_t file_index, const Region& region,
                                                    Workspace& workspace,
                                                    ChunkResult& result) const {
    const CsvFile& file = files_[file_index];
    CsvRows& rows = workspace.rows;
    RowLimits limits{.max_field_bytes = static_cast<size_t>(options_.limits.max_field_bytes),
                     .max_problem_count = MaxProblemCount()};
    SelectRows(region.text, file.layout.syntax, file.layout.names.size(), limits, workspace.tokens,
               rows);
    result.problem_count = rows.problem_count;
    std::vector<DecodedColumn> columns(plans_.size());
    std::vector<std::pair<uint32_t, size_t>> bad_cells;
    for (size_t i = 0; i < plans_.size(); ++i) {
      if (!plans_[i].is_given || !file.positions[i]) continue;
      ASSIGN_OR_RETURN(columns[i], DecodeColumn(region.text, rows, *file.positions[i],
                                                file.layout.syntax, rules_, plans_[i]));
      for (uint32_t row : columns[i].bad_rows) bad_cells.emplace_back(row, i);
    }
    if (!bad_cells.empty()) {
      std::sort(bad_cells.begin(), bad_cells.end());
      bad_cells.erase(std::unique(bad_cells.begin(), bad_cells.end(),
                                  [](const auto& a, const auto& b) { return a.first == b.first; }),
                      bad_cells.end());
      std::vector<uint32_t> dropped;
      for (const auto& [row, column] : bad_cells) {
        dropped.push_back(row);
        if (dropped.size() <= limits.max_problem_count) {
          rows.problems.push_back(MisfitProblem(file, region, rows, row, column));
        }
      }
      result.problem_count += static_cast<int64_t>(dropped.size());
      std::stable_sort(
          rows.problems.begin(), rows.problems.end(),
          [](const RowProblem& a, const RowProblem& b) { return a.row_begin < b.row_begin; });
      rows.problems.resize(std::min(rows.problems.size(), limits.max_problem_count));
      DropRows(dropped, workspace.tokens, rows);
      for (size_t i = 0; i < plans_.size(); ++i) {
        if (!plans_[i].is_given || !file.positions[i]) continue;
        ASSIGN_OR_RETURN(columns[i], DecodeColumn(region.text, rows, *file.positions[i],
                                                  file.layout.syntax, rules_, plans_[i]));
      }
    }
    for (RowProblem& problem : rows.problems) {
      result.problems.push_back({.file_index = file_index,
                                 .row_begin = region.begin + problem.row_begin,
                                 .row_size_bytes = problem.row_size_bytes,
                                 .column_offset = problem.column_offset,
                                 .column = std::move(problem.column),
                                 .reason = std::move(problem.reason)});
    }
    result.row_count = static_cast<int64_t>(rows.row_count);
    return columns;
  }

  size_t MaxProblemCount() const {
    return options_.bad_rows == BadRowPolicy::kFail
               ? 1
               : static_cast<size_t>(std::max<int64_t>(options_.max_bad_row_samples, 0));
  }

  RowProblem MisfitProblem(const CsvFile& file, const Region& region, const CsvRows& rows,
                           size_t row, size_t column) const {
    size_t position = *file.positions[column];
    size_t begin = rows.FieldBegin(row, position);
    size_t end = rows.FieldEnd(row, position);
    std::string scratch;
    CsvField field = UnwrapField(region.text.data() + begin, region.text.data() + end,
                                 file.layout.syntax, scratch);
    size_t row_begin = rows.row_begins[row];
    return {.row_begin = row_begin,
            .row_size_bytes = rows.FieldEnd(row, rows.column_count - 1) - row_begin,
            .column_offset = begin - row_begin,
            .column = plans_[column].name,
            .reason = fmt::format("'{}' is not of type {}", ShownText(field.text, 60),
                                  ColumnTypeName(plans_[column].type))};
  }

  /// Waits until the chunk before is checked. Every file's first chunk knows its beginning.
  int64_t WaitForBegin(const CsvFile& file, size_t chunk_index) {
    if (chunk_index == file.first_chunk) return static_cast<int64_t>(file.layout.data_begin);
    std::atomic<int64_t>& end = boundaries_[chunk_index - 1].end;
    int64_t value = end.load(std::memory_order_acquire);
    while (value == kUnknown) {
      end.wait(kUnknown, std::memory_order_acquire);
      value = end.load(std::memory_order_acquire);
    }
    return value;
  }

  void PublishEnd(size_t chunk_index, int64_t end) {
    boundaries_[chunk_index].end.store(end, std::memory_order_release);
    boundaries_[chunk_index].end.notify_all();
  }

  /// Where the first row of the range seems to begin: its own beginning for the first chunk and
  /// when the chunk before is checked already, else behind the first line end.
  size_t GuessBegin(const CsvFile& file, size_t chunk_index, size_t range_begin,
                    size_t range_end) const {
    if (chunk_index == file.first_chunk) return range_begin;
    int64_t known = boundaries_[chunk_index - 1].end.load(std::memory_order_acquire);
    if (known >= 0) return static_cast<size_t>(known);
    size_t line_end = file.input.text().find(file.layout.syntax.line_end, range_begin - 1);
    return line_end == std::string_view::npos ? range_end : line_end + 1;
  }

  TokenizeEnd Tokenize(const CsvFile& file, size_t begin, size_t range_end, size_t max_row_bytes,
                       CsvTokens& tokens) const {
    CsvRegion region{.text = file.input.text().substr(begin),
                     .wanted_bytes = range_end - begin,
                     .max_row_bytes = max_row_bytes};
    return TokenizeCsv(region, file.layout.syntax, tokens);
  }

  Result<ChunkResult> ReadChunk(size_t chunk_index, Workspace& workspace) {
    const size_t file_index = FileOfChunk(chunk_index);
    const CsvFile& file = files_[file_index];
    const size_t text_size = file.input.text().size();
    const size_t range_begin =
        file.layout.data_begin + (chunk_index - file.first_chunk) * chunk_bytes_;
    const size_t range_end = std::min(range_begin + chunk_bytes_, text_size);
    const auto max_row_bytes = static_cast<size_t>(options_.limits.max_row_bytes);

    size_t guess = GuessBegin(file, chunk_index, range_begin, range_end);
    TokenizeEnd end = TokenizeEnd::kComplete;
    bool is_tokenized = guess < range_end;
    // A wrong guess must not run through the whole file in search of a closing quote.
    if (is_tokenized)
      end = Tokenize(file, guess, range_end, std::min(max_row_bytes, 2 * chunk_bytes_),
                     workspace.tokens);
    int64_t real_begin = WaitForBegin(file, chunk_index);
    if (real_begin == kBroken) {
      PublishEnd(chunk_index, kBroken);
      return ChunkResult{};
    }
    auto begin = static_cast<size_t>(real_begin);
    if (begin >= range_end) {  // one row covers the whole range, or the text has ended
      PublishEnd(chunk_index, real_begin);
      return ChunkResult{};
    }
    if (!is_tokenized || begin != guess || end != TokenizeEnd::kComplete) {
      end = Tokenize(file, begin, range_end, max_row_bytes, workspace.tokens);
    }
    const size_t region_end = begin + workspace.tokens.size_bytes;
    PublishEnd(chunk_index,
               end == TokenizeEnd::kComplete ? static_cast<int64_t>(region_end) : kBroken);

    ChunkResult result;
    RETURN_IF_ERROR(DecodeRegion(file_index, PadRegion(file, begin, workspace), workspace, result));
    // Rows before the broken one may have problems of their own, which come first.
    if (end != TokenizeEnd::kComplete &&
        !(options_.bad_rows == BadRowPolicy::kFail && result.problem_count > 0)) {
      return EndlessRow(file_index, region_end, end);
    }
    return result;
  }

  Status DecodeRegion(size_t file_index, const Region& region, Workspace& workspace,
                      ChunkResult& result) const {
    const CsvFile& file = files_[file_index];
    ASSIGN_OR_RETURN(std::vector<DecodedColumn> columns,
                     SelectGoodRows(file_index, region, workspace, result));
    if (result.row_count == 0 ||
        (options_.bad_rows == BadRowPolicy::kFail && result.problem_count > 0))
      return Ok();
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (size_t i = 0; i < plans_.size(); ++i) {
      if (!file.positions[i]) {
        Result<std::shared_ptr<arrow::Array>> nulls = MakeNulls(plans_[i].type, result.row_count);
        if (!nulls.ok()) return std::move(nulls).error();
        arrays.push_back(std::move(nulls).value());
        continue;
      }
      if (!plans_[i].is_given) {
        ASSIGN_OR_RETURN(columns[i], DecodeColumn(region.text, workspace.rows, *file.positions[i],
                                                  file.layout.syntax, rules_, plans_[i]));
        if (columns[i].does_not_fit) result.misfits.emplace_back(i, columns[i].kinds);
      }
      arrays.push_back(std::move(columns[i].array));
    }
    if (result.misfits.empty())
      result.batch = arrow::RecordBatch::Make(schema_, result.row_count, std::move(arrays));
    return Ok();
  }

  static Result<std::shared_ptr<arrow::Array>> MakeNulls(ColumnType type, int64_t row_count) {
    auto nulls = arrow::MakeArrayOfNull(ArrowType(type), row_count);
    if (!nulls.ok()) return ResourceExhausted("out of memory for a column of nulls");
    return std::move(nulls).ValueUnsafe();
  }

  Error EndlessRow(size_t file_index, size_t row_begin, TokenizeEnd end) const {
    const CsvFile& file = files_[file_index];
    const CsvSyntax& syntax = file.layout.syntax;
    std::string_view row = file.input.text().substr(row_begin);
    if (end == TokenizeEnd::kTooLong)
      row = row.substr(0, static_cast<size_t>(options_.limits.max_row_bytes));
    std::optional<size_t> open = FindOpenQuote(row, syntax);
    std::string message = "a quoted field that begins here is never closed";
    if (end == TokenizeEnd::kTooLong) {
      message = fmt::format("a row goes on for more than {} bytes, the limit{}",
                            options_.limits.max_row_bytes,
                            open ? "; is the quote that opens here ever closed?" : "");
    }
    ErrorCode code =
        end == TokenizeEnd::kTooLong ? ErrorCode::kResourceExhausted : ErrorCode::kInvalidArgument;
    TextReport report(file.input.path(), file.input.text(), syntax.line_end);
    return report.At(Error(code, std::move(message)), row_begin + open.value_or(0));
  }

  std::vector<CsvFile> files_;
  const ValueRules rules_;
  const ReadOptions options_;
  size_t chunk_bytes_ = 0;
  size_t chunk_count_ = 0;
  std::vector<ColumnPlan> plans_;
  std::vector<KindSet> kinds_;
  bool has_final_types_ = false;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Boundary> boundaries_;
  std::vector<TextReport> reports_;
  Guarded<std::vector<std::unique_ptr<Workspace>>> workspaces_;
};

}  // namespace

Result<std::unique_ptr<ChunkSource>> OpenCsvSource(const std::vector<std::string>& paths,
                                                   const ReadOptions& options) {
  ASSIGN_OR_RETURN(ValueRules rules, ValueRules::Compile(options.csv));
  std::vector<CsvFile> files;
  std::vector<FileColumns> names;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(TextInput input, TextInput::Open(path, options.csv.encoding));
    ASSIGN_OR_RETURN(CsvLayout layout,
                     FindCsvLayout(input.text(), path, options.csv, options.limits));
    names.push_back({path, layout.names});
    files.push_back({std::move(input), std::move(layout), {}, 0, 0});
  }
  ASSIGN_OR_RETURN(ColumnChoice choice, ChooseColumns(names, options));
  auto source =
      std::make_unique<CsvSource>(std::move(files), std::move(choice), std::move(rules), options);
  RETURN_IF_ERROR(source->LookAtBeginnings());
  return std::unique_ptr<ChunkSource>(std::move(source));
}

}  // namespace sluice::table::internal
