#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "serve/internal/parse_rows.h"
#include "serve/internal/rows_builder.h"

namespace sluice::serve::internal {
namespace {

// Where pandas.read_csv sees a missing value.
constexpr std::array<std::string_view, 19> kMissingSpellings = {
    "",     "#N/A", "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A",  "NA",       "NULL", "NaN",     "None",     "n/a",  "nan",  "null"};

Error Malformed(std::string_view why) {
  return InvalidArgument(
      fmt::format("Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid "
                  "CSV-formatted Pandas DataFrame produced using the `pandas.DataFrame.to_csv()` "
                  "method. Error: '{}'",
                  why));
}

/// Cuts CSV into records (RFC 4180; LF, CR LF and CR end a line). Fields are views into the text
/// or, for quoted ones with doubled quotes, into a buffer that lives until the next record.
class Records {
 public:
  explicit Records(std::string_view text) : rest_(text) {}

  int64_t line() const { return line_; }

  /// False at the end. Empty lines are skipped, as in pandas.
  Result<bool> Next(std::vector<std::string>& fields) {
    SkipEmptyLines();
    if (rest_.empty()) return false;
    line_ = next_line_;
    fields.clear();
    while (true) {
      fields.emplace_back();
      RETURN_IF_ERROR(ReadField(fields.back()));
      if (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
        continue;
      }
      SkipLineEnd();
      return true;
    }
  }

 private:
  void SkipEmptyLines() {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) SkipLineEnd();
  }

  void SkipLineEnd() {
    if (rest_.empty()) return;
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
    ++next_line_;
  }

  Status ReadField(std::string& out) {
    if (!rest_.starts_with('"')) {
      const size_t end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
      out = rest_.substr(0, end);
      rest_.remove_prefix(end);
      return Ok();
    }
    const int64_t first_line = next_line_;
    rest_.remove_prefix(1);
    while (true) {
      const size_t quote = rest_.find('"');
      if (quote == std::string_view::npos) {
        return Malformed(fmt::format("the quote in line {} does not end", first_line));
      }
      out += rest_.substr(0, quote);
      next_line_ += std::count(rest_.begin(), rest_.begin() + static_cast<int64_t>(quote), '\n');
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      out += '"';
      rest_.remove_prefix(1);
    }
    if (rest_.empty() || rest_.find_first_of(",\r\n") == 0) return Ok();
    return Malformed(fmt::format("text after a closing quote in line {}", next_line_));
  }

  std::string_view rest_;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
};

bool IsMissing(std::string_view text) {
  return std::find(kMissingSpellings.begin(), kMissingSpellings.end(), text) !=
         kMissingSpellings.end();
}

/// Which input each field of a record belongs to; npos for extra columns.
Result<std::vector<size_t>> MapHeader(const model::Signature& signature,
                                      const std::vector<std::string>& names) {
  std::vector<size_t> inputs;
  std::vector<bool> is_there(signature.inputs.size(), false);
  std::vector<std::string> extra;
  for (const std::string& name : names) {
    const std::optional<size_t> input = signature.FindInput(name);
    inputs.push_back(input.value_or(std::string::npos));
    if (!input) {
      extra.push_back(name);
    } else if (is_there[*input]) {
      return Malformed(fmt::format("the column '{}' is there twice", name));
    } else {
      is_there[*input] = true;
    }
  }
  std::vector<std::string> missing;
  for (size_t i = 0; i < is_there.size(); ++i) {
    const model::InputColumn& input = signature.inputs[i];
    if (!is_there[i] && input.is_required) missing.push_back(input.name);
  }
  if (missing.empty()) return inputs;
  return FailedPrecondition(
      fmt::format("Failed to enforce schema of data with schema '{}'. Error: {}",
                  signature.ToString(), model::MissingInputsMessage(missing, extra)));
}

}  // namespace

Result<ParsedRequest> ParseCsvRequest(const model::Signature& signature, std::string_view body,
                                      int64_t row_count_max) {
  if (!IsUtf8(body))
    return InvalidArgument("Invalid input. Ensure that input is a valid UTF-8 encoded string.");
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  Records records(body);
  std::vector<std::string> fields;
  ASSIGN_OR_RETURN(const bool has_header, records.Next(fields));
  if (!has_header) return Malformed("No columns to parse from file");
  ASSIGN_OR_RETURN(const std::vector<size_t> inputs, MapHeader(signature, fields));

  RowsBuilder builder(signature);
  std::vector<size_t> absent;
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    if (std::find(inputs.begin(), inputs.end(), i) == inputs.end()) absent.push_back(i);
  }
  int64_t row_count = 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool has_row, records.Next(fields));
    if (!has_row) break;
    if (fields.size() != inputs.size()) {
      return Malformed(fmt::format("Expected {} fields in line {}, saw {}", inputs.size(),
                                   records.line(), fields.size()));
    }
    if (++row_count > row_count_max) {
      return Malformed(fmt::format("one request may have {} rows at most", row_count_max));
    }
    for (size_t c = 0; c < fields.size(); ++c) {
      if (inputs[c] == std::string::npos) continue;
      Cell cell;
      if (!IsMissing(fields[c])) cell = {.kind = Cell::Kind::kText, .text = fields[c]};
      if (builder.Append(inputs[c], cell)) continue;
      // "3.0" in a column of integers, as pandas writes them once one was missing.
      double number = 0;
      const char* end = fields[c].data() + fields[c].size();
      const auto [stop, error] = std::from_chars(fields[c].data(), end, number);
      if (cell.kind == Cell::Kind::kText && error == std::errc() && stop == end &&
          builder.Append(inputs[c], {.kind = Cell::Kind::kDouble, .number = number})) {
        continue;
      }
      return builder.ConversionError(inputs[c], cell).With(fmt::format("line {}", records.line()));
    }
    for (const size_t input : absent) builder.Append(input, Cell());
  }
  return ParsedRequest{.rows = builder.Finish(row_count), .wants_probabilities = false};
}

}  // namespace sluice::serve::internal
