#include "app/read_settings.h"

#include <fmt/format.h>

namespace sluice::app {

namespace {

using formats::Json;

/// One character, or a name for those that are hard to write. Errors: kInvalidArgument naming the
/// setting.
Result<char> ReadCharacter(std::string_view setting, const std::string& text) {
  if (text == "tab" || text == "\\t") return '\t';
  if (text == "space") return ' ';
  if (text.size() == 1) return text[0];
  return InvalidArgument(
      fmt::format("{} must be one character (or `tab`, `space`), not '{}'", setting, text));
}

std::vector<std::string> Texts(const Json& settings, std::string_view name) {
  std::vector<std::string> texts;
  const Json* value = settings.Find(name);
  if (value == nullptr || value->is_null()) return texts;
  if (value->is_string()) return {value->AsString()};
  for (const Json& item : value->AsArray())
    texts.push_back(item.is_string() ? item.AsString() : formats::PrintJson(item));
  return texts;
}

Status ReadCsvSettings(const Json& settings, table::CsvOptions& csv) {
  if (std::string text = settings.StringOr("delimiter", ""); !text.empty()) {
    ASSIGN_OR_RETURN(csv.delimiter, ReadCharacter("delimiter", text));
  }
  csv.has_header = settings.BoolOr("header", true);
  csv.column_names = Texts(settings, "names");
  csv.comment_prefix = settings.StringOr("comment", "");
  csv.skip_line_count = settings.IntegerOr("skip_lines", 0);
  if (std::string text = settings.StringOr("quote", ""); text == "none") {
    csv.quote = std::nullopt;
  } else if (!text.empty()) {
    ASSIGN_OR_RETURN(csv.quote, ReadCharacter("quote", text));
  }
  if (std::string text = settings.StringOr("escape", ""); !text.empty()) {
    ASSIGN_OR_RETURN(csv.escape, ReadCharacter("escape", text));
  }
  csv.trim_blanks = settings.BoolOr("trim", false);
  csv.added_null_spellings = Texts(settings, "nulls");
  if (settings.Find("only_nulls") != nullptr) csv.null_spellings = Texts(settings, "only_nulls");
  if (std::vector<std::string> values = Texts(settings, "true_values"); !values.empty())
    csv.true_spellings = values;
  if (std::vector<std::string> values = Texts(settings, "false_values"); !values.empty())
    csv.false_spellings = values;
  if (std::string text = settings.StringOr("decimal", ""); !text.empty()) {
    ASSIGN_OR_RETURN(csv.decimal_point, ReadCharacter("decimal", text));
  }
  if (std::string text = settings.StringOr("thousands", ""); !text.empty()) {
    ASSIGN_OR_RETURN(csv.thousands_separator, ReadCharacter("thousands", text));
  }
  csv.date_formats = Texts(settings, "date_formats");
  std::string encoding = settings.StringOr("encoding", "auto");
  std::optional<table::Encoding> found = table::FindEncoding(encoding);
  if (!found) return InvalidArgument(fmt::format("encoding '{}' is not known", encoding));
  csv.encoding = *found;
  return Ok();
}

}  // namespace

Result<table::ReadOptions> ReadOptionsFromSettings(const Json& settings) {
  table::ReadOptions options;
  std::string format = settings.StringOr("format", "auto");
  std::optional<table::Format> found = table::FindFormat(format);
  if (!found)
    return InvalidArgument(
        fmt::format("format '{}' is not known: csv, json_lines, parquet, arrow_ipc", format));
  options.format = *found;
  RETURN_IF_ERROR(ReadCsvSettings(settings, options.csv));
  if (const Json* types = settings.Find("types"); types != nullptr && types->is_object()) {
    for (const auto& [column, type] : types->AsObject()) {
      std::string name = type.is_string() ? type.AsString() : formats::PrintJson(type);
      std::optional<table::ColumnType> column_type = table::FindColumnType(name);
      if (!column_type) {
        return InvalidArgument(
            fmt::format("types: column '{}' has type '{}'; known are bool, int64, double, string, "
                        "date and timestamp",
                        column, name));
      }
      options.types[column] = *column_type;
    }
  }
  options.columns = Texts(settings, "columns");
  if (settings.StringOr("bad_rows", "fail") == "skip")
    options.bad_rows = table::BadRowPolicy::kSkip;
  options.allow_missing_columns = settings.BoolOr("allow_missing_columns", false);
  return options;
}

std::vector<CliOption> ReadCliOptions() {
  return {
      {"format", '\0', "FORMAT",
       "csv, json_lines, parquet or arrow_ipc; default: by extension and content"},
      {"delimiter", 'd', "C", "of CSV; `tab` for tabs; default: found out"},
      {"no-header", '\0', "", "the first line holds data, not names"},
      {"names", '\0', "A,B,...", "column names, separated by commas"},
      {"comment", '\0', "PREFIX", "skip lines that begin with this"},
      {"skip-lines", '\0', "N", "skip lines at the beginning"},
      {"quote", '\0', "C", "quote character; `none` for files without quoting"},
      {"trim", '\0', "", "remove blanks around fields"},
      {"null", '\0', "TEXT", "one more spelling of a missing value", true},
      {"decimal", '\0', "C", "decimal point: . or ,"},
      {"thousands", '\0', "C", "separator between groups of three digits"},
      {"date-format", '\0', "FORMAT", "such as %d.%m.%Y", true},
      {"encoding", '\0', "NAME",
       "utf-8, utf-16-le, utf-16-be, latin1 or windows-1252; default: by byte order mark"},
      {"type", '\0', "COLUMN=TYPE",
       "give a column's type: bool, int64, double, string, date, timestamp", true},
      {"columns", '\0', "A,B,...", "read only these columns"},
      {"skip-bad-rows", '\0', "", "set aside rows that cannot be read, instead of failing"},
      {"max-columns", '\0', "N", "a file with more columns is an error; default: 100000"},
      {"max-row-bytes", '\0', "N",
       "a longer row is an error, usually a quote never closed; default: 64 MiB"},
      {"max-field-bytes", '\0', "N", "a longer field makes a bad row; default: 16 MiB"},
      {"threads", '\0', "N", "threads to read with; default: one per processor"},
  };
}

namespace {

// The highest limits that can be given.
constexpr int64_t kMostColumns = 1'000'000;
constexpr int64_t kMostBytes = int64_t{1} << 30;

Json SplitCommas(const std::string& text) {
  Json list = Json::MakeArray();
  size_t begin = 0;
  while (begin <= text.size()) {
    size_t end = std::min(text.find(',', begin), text.size());
    list.Append(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

}  // namespace

Result<table::ReadOptions> ReadOptionsFromArguments(const Arguments& arguments) {
  Json settings = Json::MakeObject();
  for (std::string_view name :
       {"format", "delimiter", "comment", "quote", "decimal", "thousands", "encoding"}) {
    if (std::optional<std::string> value = arguments.Find(name)) settings[name] = *value;
  }
  settings["header"] = !arguments.Has("no-header");
  settings["trim"] = arguments.Has("trim");
  for (std::string_view name : {"names", "columns"}) {
    if (std::optional<std::string> value = arguments.Find(name))
      settings[name] = SplitCommas(*value);
  }
  ASSIGN_OR_RETURN(int64_t skip_lines, arguments.GetInteger("skip-lines", 0, 0, int64_t{1} << 40));
  settings["skip_lines"] = skip_lines;
  for (const std::string& text : arguments.GetAll("null")) settings["nulls"].Append(text);
  for (const std::string& text : arguments.GetAll("date-format"))
    settings["date_formats"].Append(text);
  for (const std::string& text : arguments.GetAll("type")) {
    size_t equals = text.rfind('=');
    if (equals == std::string::npos)
      return InvalidArgument(fmt::format("--type takes COLUMN=TYPE, not '{}'", text));
    settings["types"][text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (arguments.Has("skip-bad-rows")) settings["bad_rows"] = "skip";
  ASSIGN_OR_RETURN(table::ReadOptions options, ReadOptionsFromSettings(settings));
  ASSIGN_OR_RETURN(int64_t threads, arguments.GetInteger("threads", 0, 1, 1024));
  options.thread_count = static_cast<size_t>(threads);
  table::ReadLimits& limits = options.limits;
  ASSIGN_OR_RETURN(limits.max_column_count,
                   arguments.GetInteger("max-columns", limits.max_column_count, 1, kMostColumns));
  ASSIGN_OR_RETURN(limits.max_row_bytes,
                   arguments.GetInteger("max-row-bytes", limits.max_row_bytes, 1, kMostBytes));
  ASSIGN_OR_RETURN(limits.max_field_bytes,
                   arguments.GetInteger("max-field-bytes", limits.max_field_bytes, 1, kMostBytes));
  return options;
}

}  // namespace sluice::app
