#include "table/internal/json_source.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/thread_pool.h"
#include "table/internal/arrow_status.h"
#include "table/internal/chunk_driver.h"
#include "table/internal/column_choice.h"
#include "table/internal/json_cells.h"
#include "table/internal/json_line.h"
#include "table/internal/text_input.h"
#include "table/internal/text_report.h"
#include "table/internal/utf8.h"

namespace sluice::table::internal {

namespace {

/// A chunk's lines, parsed: cells by row and by the chunk's own list of keys.
struct ParsedChunk {
  struct Entry {
    uint32_t row;
    uint32_t key;
    JsonCell cell;
  };
  std::vector<std::string> keys;
  std::vector<Entry> entries;
  std::vector<std::pair<size_t, size_t>> rows;  // begin in the file's text, bytes
  std::vector<ChunkProblem> problems;
  int64_t problem_count = 0;
};

/// What the first look finds out about one key in one chunk.
struct KeyFacts {
  KindSet kinds = kNoKind;
  size_t nested_offset = 0;  // of the first object or array
};

struct JsonFile {
  TextInput input;
  size_t first_chunk = 0;
  std::vector<std::string> names;
};

/// Keys are mostly the same from line to line, so the next one is guessed before it is looked up.
class KeyTable {
 public:
  explicit KeyTable(std::vector<std::string>& keys) : keys_(keys) {}

  void BeginLine() { next_ = 0; }
  uint32_t Find(const JsonMember& member) {
    std::string_view key = member.key;
    if (member.key_has_escapes) {
      scratch_.clear();
      UnescapeJson(member.key, scratch_);
      key = scratch_;
    }
    if (next_ < keys_.size() && keys_[next_] == key) return next_++;
    auto [place, is_new] =
        places_.try_emplace(std::string(key), static_cast<uint32_t>(keys_.size()));
    if (is_new) keys_.emplace_back(key);
    next_ = place->second + 1;
    return place->second;
  }

 private:
  std::vector<std::string>& keys_;
  std::unordered_map<std::string, uint32_t> places_;
  uint32_t next_ = 0;
  std::string scratch_;
};

class JsonSource : public ChunkSource {
 public:
  JsonSource(std::vector<JsonFile> files, ValueRules rules, const ReadOptions& options)
      : files_(std::move(files)),
        cells_(std::move(rules)),
        options_(options),
        chunk_bytes_(std::clamp<size_t>(options.chunk_size_bytes, 1, size_t{256} << 20)) {
    for (JsonFile& file : files_) {
      file.first_chunk = chunk_count_;
      chunk_count_ += (file.input.text().size() + chunk_bytes_ - 1) / chunk_bytes_;
      reports_.emplace_back(file.input.path(), file.input.text(), '\n');
    }
  }

  Status FindColumns() {
    std::vector<std::pair<std::vector<std::string>, std::vector<KeyFacts>>> found(chunk_count_);
    ParallelFor(ThreadCount(options_), chunk_count_, [&](size_t index) {
      ParsedChunk chunk = Parse(index);
      found[index].second = FindKinds(FileOfChunk(index), chunk);
      found[index].first = std::move(chunk.keys);
    });
    struct Column {
      size_t file_index;
      KeyFacts facts;
    };
    std::map<std::string, Column, std::less<>> columns;
    std::vector<FileColumns> file_columns;
    for (const JsonFile& file : files_) file_columns.push_back({file.input.path(), {}});
    for (size_t index = 0; index < chunk_count_; ++index) {
      size_t file_index = FileOfChunk(index);
      std::vector<std::string>& names = file_columns[file_index].names;
      for (size_t i = 0; i < found[index].first.size(); ++i) {
        const std::string& key = found[index].first[i];
        const KeyFacts& facts = found[index].second[i];
        if (std::find(names.begin(), names.end(), key) == names.end()) names.push_back(key);
        auto [place, is_new] = columns.try_emplace(key, Column{file_index, facts});
        if (is_new) continue;
        if ((facts.kinds & kNestedKind) != 0 && (place->second.facts.kinds & kNestedKind) == 0) {
          place->second = {file_index, {place->second.facts.kinds, facts.nested_offset}};
        }
        place->second.facts.kinds |= facts.kinds;
      }
      if (names.size() > static_cast<size_t>(options_.limits.max_column_count)) {
        return ResourceExhausted(
            fmt::format("'{}' has more than {} different keys, the limit of columns",
                        file_columns[file_index].path, options_.limits.max_column_count));
      }
    }
    for (FileColumns& file : file_columns) {
      if (file.names.empty()) RETURN_IF_ERROR(FirstProblem());
    }
    ASSIGN_OR_RETURN(ColumnChoice choice, ChooseColumns(file_columns, options_));
    arrow::FieldVector fields;
    for (const std::string& name : choice.names) {
      const Column& column = columns.find(name)->second;
      if ((column.facts.kinds & kNestedKind) != 0) {
        return reports_[column.file_index].At(
            InvalidArgument(fmt::format(
                "column '{}' holds objects or arrays, which are not supported; flatten them, or "
                "name the columns to keep",
                name)),
            column.facts.nested_offset);
      }
      auto given = options_.types.find(name);
      is_given_.push_back(given != options_.types.end());
      types_.push_back(is_given_.back() ? given->second : TypeOfKinds(column.facts.kinds));
      places_.emplace(name, places_.size());
      fields.push_back(arrow::field(name, ArrowType(types_.back())));
    }
    schema_ = arrow::schema(std::move(fields));
    return Ok();
  }

  size_t chunk_count() const override { return chunk_count_; }
  size_t FileOfChunk(size_t chunk_index) const override {
    auto behind = std::upper_bound(
        files_.begin(), files_.end(), chunk_index,
        [](size_t index, const JsonFile& file) { return index < file.first_chunk; });
    return static_cast<size_t>(behind - files_.begin()) - 1;
  }
  std::vector<FileFacts> files() const override {
    std::vector<FileFacts> facts;
    for (const JsonFile& file : files_) {
      facts.push_back({.path = file.input.path(),
                       .format = Format::kJsonLines,
                       .size_bytes = file.input.size_bytes(),
                       .row_count = 0,
                       .delimiter = '\0',
                       .encoding = file.input.encoding()});
    }
    return facts;
  }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  bool has_final_types() const override { return true; }
  void WidenTypes(const std::vector<std::pair<size_t, KindSet>>& misfits) override {
    CHECK(misfits.empty());
  }
  void Restart() override {}
  BadRow Describe(const ChunkProblem& problem) override {
    return reports_[problem.file_index].Describe(problem);
  }
  Error ErrorOf(const ChunkProblem& problem) override {
    return reports_[problem.file_index].ErrorOf(problem);
  }

  Result<ChunkResult> ReadChunk(size_t chunk_index) override {
    ParsedChunk chunk = Parse(chunk_index);
    std::vector<std::vector<JsonCell>> columns(types_.size(),
                                               std::vector<JsonCell>(chunk.rows.size()));
    std::vector<std::optional<size_t>> column_of_key;
    for (const std::string& key : chunk.keys) {
      auto place = places_.find(key);
      column_of_key.push_back(place == places_.end() ? std::nullopt : std::optional(place->second));
    }
    for (const ParsedChunk::Entry& entry : chunk.entries) {
      if (column_of_key[entry.key]) columns[*column_of_key[entry.key]][entry.row] = entry.cell;
    }
    DropMisfits(FileOfChunk(chunk_index), chunk, columns);

    ChunkResult result;
    result.row_count = static_cast<int64_t>(chunk.rows.size());
    result.problem_count = chunk.problem_count;
    result.problems = std::move(chunk.problems);
    if (result.row_count == 0) return result;
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (size_t i = 0; i < columns.size(); ++i) {
      ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array,
                       cells_.MakeColumn(columns[i], types_[i], is_given_[i]));
      arrays.push_back(std::move(array));
    }
    result.batch = arrow::RecordBatch::Make(schema_, result.row_count, std::move(arrays));
    return result;
  }

 private:
  /// The lines that begin in the chunk's range of bytes. A line end inside a JSON string is always
  /// escaped, so every line end ends a line.
  std::string_view LinesOf(size_t chunk_index, size_t& begin) const {
    const JsonFile& file = files_[FileOfChunk(chunk_index)];
    std::string_view text = file.input.text();
    auto line_begin = [&](size_t offset) {
      if (offset == 0) return offset;
      size_t line_end =
          offset >= text.size() ? std::string_view::npos : text.find('\n', offset - 1);
      return line_end == std::string_view::npos ? text.size() : line_end + 1;
    };
    size_t offset = (chunk_index - file.first_chunk) * chunk_bytes_;
    begin = line_begin(offset);
    size_t end = line_begin(std::min(offset + chunk_bytes_, text.size()));
    return text.substr(begin, end - begin);
  }

  ParsedChunk Parse(size_t chunk_index) const {
    ParsedChunk chunk;
    KeyTable keys(chunk.keys);
    size_t begin = 0;
    std::string_view lines = LinesOf(chunk_index, begin);
    const size_t file_index = FileOfChunk(chunk_index);
    const bool may_have_bad_bytes = FindInvalidUtf8(lines).has_value();
    std::vector<JsonMember> members;
    while (!lines.empty()) {
      size_t size = std::min(lines.find('\n'), lines.size());
      std::string_view line = lines.substr(0, size);
      size_t line_begin = begin;
      lines.remove_prefix(std::min(size + 1, lines.size()));
      begin += size + 1;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      members.clear();
      if (std::optional<JsonProblem> problem = Check(line, may_have_bad_bytes, members)) {
        AddProblem(chunk, {.file_index = file_index,
                           .row_begin = line_begin,
                           .row_size_bytes = line.size(),
                           .column_offset = problem->offset,
                           .column = {},
                           .reason = std::move(problem->reason)});
        continue;
      }
      auto row = static_cast<uint32_t>(chunk.rows.size());
      chunk.rows.emplace_back(line_begin, line.size());
      keys.BeginLine();
      for (const JsonMember& member : members)
        chunk.entries.push_back({row, keys.Find(member), member.value});
    }
    return chunk;
  }

  std::optional<JsonProblem> Check(std::string_view line, bool may_have_bad_bytes,
                                   std::vector<JsonMember>& members) const {
    if (line.size() > static_cast<size_t>(options_.limits.max_row_bytes)) {
      return JsonProblem{0, fmt::format("line of {} bytes is over the limit of {}", line.size(),
                                        options_.limits.max_row_bytes)};
    }
    if (may_have_bad_bytes) {
      if (std::optional<size_t> at = FindInvalidUtf8(line)) {
        return JsonProblem{
            *at, fmt::format("byte 0x{:02X} at position {} is not UTF-8, which JSON must be",
                             static_cast<unsigned char>(line[*at]), *at + 1)};
      }
    }
    if (std::optional<JsonProblem> problem = ParseJsonLine(line, members)) return problem;
    for (const JsonMember& member : members) {
      if (member.value.text.size() > static_cast<size_t>(options_.limits.max_field_bytes)) {
        return JsonProblem{static_cast<size_t>(member.value.text.data() - line.data()),
                           fmt::format("a value has {} bytes, over the limit of {}",
                                       member.value.text.size(), options_.limits.max_field_bytes)};
      }
    }
    return std::nullopt;
  }

  void AddProblem(ParsedChunk& chunk, ChunkProblem problem) const {
    ++chunk.problem_count;
    int64_t wanted = options_.bad_rows == BadRowPolicy::kFail ? 1 : options_.max_bad_row_samples;
    if (static_cast<int64_t>(chunk.problems.size()) < wanted)
      chunk.problems.push_back(std::move(problem));
  }

  std::vector<KeyFacts> FindKinds(size_t file_index, const ParsedChunk& chunk) const {
    const char* file_begin = files_[file_index].input.text().data();
    std::vector<KeyFacts> facts(chunk.keys.size());
    JsonCells::Scratch scratch;
    for (const ParsedChunk::Entry& entry : chunk.entries) {
      KeyFacts& key = facts[entry.key];
      if (entry.cell.kind == JsonKind::kNested && (key.kinds & kNestedKind) == 0) {
        key.nested_offset = static_cast<size_t>(entry.cell.text.data() - file_begin);
      }
      if ((key.kinds & kTextKind) != 0 && entry.cell.kind != JsonKind::kNested) continue;
      key.kinds |= cells_.Kind(entry.cell, scratch);
    }
    return facts;
  }

  /// For files without a single member: the first bad line says why.
  Status FirstProblem() {
    for (size_t index = 0; index < chunk_count_; ++index) {
      ParsedChunk chunk = Parse(index);
      if (!chunk.problems.empty()) return ErrorOf(chunk.problems.front());
    }
    return InvalidArgument(fmt::format("'{}' holds no JSON objects", files_.front().input.path()));
  }

  /// Rows whose values do not fit a given type are bad.
  void DropMisfits(size_t file_index, ParsedChunk& chunk,
                   std::vector<std::vector<JsonCell>>& columns) const {
    std::vector<bool> is_dropped(chunk.rows.size());
    std::vector<ChunkProblem> problems = std::move(chunk.problems);
    chunk.problems.clear();
    int64_t dropped_count = 0;
    JsonCells::Scratch scratch;
    for (size_t row = 0; row < chunk.rows.size(); ++row) {
      for (size_t i = 0; i < columns.size() && !is_dropped[row]; ++i) {
        const JsonCell& cell = columns[i][row];
        if (!is_given_[i] || cell.kind == JsonKind::kNull || cells_.Fits(cell, types_[i], scratch))
          continue;
        is_dropped[row] = true;
        ++dropped_count;
        auto [begin, size] = chunk.rows[row];
        problems.push_back(
            {.file_index = file_index,
             .row_begin = begin,
             .row_size_bytes = size,
             .column_offset =
                 static_cast<size_t>(cell.text.data() - files_[file_index].input.text().data()) -
                 begin,
             .column = schema_->field(static_cast<int>(i))->name(),
             .reason = fmt::format("'{}' is not of type {}", ShownText(cell.text, 60),
                                   ColumnTypeName(types_[i]))});
      }
    }
    std::stable_sort(
        problems.begin(), problems.end(),
        [](const ChunkProblem& a, const ChunkProblem& b) { return a.row_begin < b.row_begin; });
    int64_t problem_count = chunk.problem_count + dropped_count;
    for (ChunkProblem& problem : problems) AddProblem(chunk, std::move(problem));
    chunk.problem_count = problem_count;
    if (dropped_count == 0) return;
    size_t kept = 0;
    for (size_t row = 0; row < is_dropped.size(); ++row) {
      if (is_dropped[row]) continue;
      chunk.rows[kept] = chunk.rows[row];
      for (std::vector<JsonCell>& column : columns) column[kept] = column[row];
      ++kept;
    }
    chunk.rows.resize(kept);
    for (std::vector<JsonCell>& column : columns) column.resize(kept);
  }

  std::vector<JsonFile> files_;
  const JsonCells cells_;
  const ReadOptions options_;
  const size_t chunk_bytes_;
  size_t chunk_count_ = 0;
  std::vector<TextReport> reports_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<ColumnType> types_;
  std::vector<bool> is_given_;
  std::map<std::string, size_t, std::less<>> places_;
};

}  // namespace

Result<std::unique_ptr<ChunkSource>> OpenJsonSource(const std::vector<std::string>& paths,
                                                    const ReadOptions& options) {
  CsvOptions plain =
      options.csv;  // true and false spellings and date formats hold for strings of given types
  plain.null_spellings.clear();
  plain.added_null_spellings.clear();
  plain.decimal_point = '.';
  plain.thousands_separator = {};
  ASSIGN_OR_RETURN(ValueRules rules, ValueRules::Compile(plain));
  std::vector<JsonFile> files;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(TextInput input, TextInput::Open(path, options.csv.encoding));
    size_t first = input.text().find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && input.text()[first] == '[') {
      return InvalidArgument(fmt::format(
          "'{}' is a JSON array; JSON Lines has one object on each line (jq -c '.[]' makes it so)",
          path));
    }
    files.push_back({std::move(input), 0, {}});
  }
  auto source = std::make_unique<JsonSource>(std::move(files), std::move(rules), options);
  RETURN_IF_ERROR(source->FindColumns());
  return std::unique_ptr<ChunkSource>(std::move(source));
}

}  // namespace sluice::table::internal
