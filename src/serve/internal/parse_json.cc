#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/json.h"
#include "serve/internal/parse_rows.h"
#include "serve/internal/rows_builder.h"

namespace sluice::serve::internal {
namespace {

using formats::Json;

constexpr std::array<std::string_view, 4> kFormats = {"dataframe_records", "dataframe_split",
                                                      "inputs", "instances"};
constexpr std::string_view kRequiredFormat =
    "The input must be a JSON dictionary with exactly one of the input fields "
    "{'dataframe_records', 'dataframe_split', 'inputs', 'instances'}";

/// What Python calls the type of a JSON value, since MLflow's messages do.
std::string_view PythonTypeName(const Json& json) {
  if (json.is_null()) return "NoneType";
  if (json.is_bool()) return "bool";
  if (json.is_integer()) return "int";
  if (json.is_double()) return "float";
  if (json.is_string()) return "str";
  return json.is_array() ? "list" : "dict";
}

Error Invalid(std::string_view message) {
  return InvalidArgument("Invalid input. " + std::string(message));
}

Error TooManyRows(int64_t row_count_max) {
  return Invalid(fmt::format("One request may have {} rows at most.", row_count_max));
}

/// A request's data by column: for each column its cells, null pointers where a record lacks the
/// member.
struct Frame {
  struct Column {
    std::string name;
    std::vector<const Json*> cells;
  };
  std::vector<Column> columns;
  int64_t row_count = 0;

  Column& Get(std::string_view name) {
    // The records of one request mostly have the same members in the same order.
    if (next_ < columns.size() && columns[next_].name == name) return columns[next_++];
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name != name) continue;
      next_ = i + 1;
      return columns[i];
    }
    columns.push_back({std::string(name), {}});
    next_ = columns.size();
    return columns.back();
  }
  void StartRecord() { next_ = 0; }

 private:
  size_t next_ = 0;  ///< where Get looks first
};

Result<ParsedRequest> BuildRows(const model::Signature& signature, const Frame& frame) {
  std::vector<const Frame::Column*> sources(signature.inputs.size(), nullptr);
  std::vector<std::string> extra;
  for (const Frame::Column& column : frame.columns) {
    const std::optional<size_t> input = signature.FindInput(column.name);
    if (!input) {
      extra.push_back(column.name);
    } else if (sources[*input]) {
      return Invalid(fmt::format("The input column '{}' is there twice.", column.name));
    } else {
      sources[*input] = &column;
    }
  }
  std::vector<std::string> missing;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!sources[i] && signature.inputs[i].is_required) missing.push_back(signature.inputs[i].name);
  }
  if (!missing.empty()) {
    return FailedPrecondition(
        fmt::format("Failed to enforce schema of data with schema '{}'. Error: {}",
                    signature.ToString(), model::MissingInputsMessage(missing, extra)));
  }
  RowsBuilder builder(signature);
  for (size_t i = 0; i < sources.size(); ++i) {
    for (int64_t row = 0; row < frame.row_count; ++row) {
      const Json* json = nullptr;
      if (sources[i] && static_cast<size_t>(row) < sources[i]->cells.size()) {
        json = sources[i]->cells[static_cast<size_t>(row)];
      }
      const Cell cell = json ? Cell::Of(*json) : Cell();
      if (!builder.Append(i, cell)) return builder.ConversionError(i, cell);
    }
  }
  return ParsedRequest{.rows = builder.Finish(frame.row_count), .wants_probabilities = false};
}

/// A list of objects: dataframe_records, and the record forms of instances and inputs.
Result<Frame> FrameOfRecords(const Json::Array& records, std::string_view format) {
  Frame frame;
  for (size_t row = 0; row < records.size(); ++row) {
    if (!records[row].is_object()) {
      return Invalid(
          fmt::format("Provided {} field is not a valid dataframe representation in "
                      "'records' format. Error: 'record {} is no dictionary but a {}'",
                      format, row, PythonTypeName(records[row])));
    }
    frame.StartRecord();
    for (const auto& [name, value] : records[row].AsObject()) {
      std::vector<const Json*>& cells = frame.Get(name).cells;
      cells.resize(row);  // missing in the records before
      cells.push_back(&value);
    }
  }
  frame.row_count = static_cast<int64_t>(records.size());
  return frame;
}

Result<Frame> FrameOfSplit(const Json& split) {
  if (!split.is_object()) {
    return Invalid(fmt::format(
        "Dataframe split format must be a dictionary. Got {}.",
        split.is_array() ? "list" : fmt::format("type <class '{}'>", PythonTypeName(split))));
  }
  const auto fail = [](std::string_view why) {
    return Invalid(
        fmt::format("Provided dataframe_split field is not a valid dataframe "
                    "representation in 'split' format. Error: '{}'",
                    why));
  };
  std::string keys;
  bool has_other_key = false;
  for (const auto& [key, value] : split.AsObject()) {
    keys += (keys.empty() ? "'" : ", '") + key + "'";
    has_other_key = has_other_key || (key != "columns" && key != "data" && key != "index");
  }
  const Json* data = split.Find("data");
  if (!data || has_other_key) {
    return Invalid(
        fmt::format("Dataframe split format must have 'data' field and optionally "
                    "'columns' and 'index' fields. Got {{{}}}.'",
                    keys));
  }
  if (!data->is_array()) return fail("data is no list");
  const Json::Array& rows = data->AsArray();
  const Json* index = split.Find("index");
  if (index && !index->is_null() && (!index->is_array() || index->size() != rows.size())) {
    return fail("index and data are not of one length");
  }

  Frame frame;
  frame.row_count = static_cast<int64_t>(rows.size());
  size_t width = 0;
  for (const Json& row : rows) width = std::max(width, row.is_array() ? row.size() : 1);
  const Json* columns = split.Find("columns");
  if (columns && !columns->is_null()) {
    if (!columns->is_array()) return fail("columns is no list");
    for (const Json& name : columns->AsArray()) {
      if (name.is_array() || name.is_object()) return fail("a column's name is no text");
      frame.columns.push_back({name.is_string() ? name.AsString() : formats::PrintJson(name), {}});
    }
    if (width > frame.columns.size()) {
      return fail(fmt::format("{} columns passed, passed data had {} columns", frame.columns.size(),
                              width));
    }
  } else {
    for (size_t i = 0; i < width; ++i) frame.columns.push_back({std::to_string(i), {}});
  }
  for (const Json& row : rows) {
    // A list of bare values is a frame of one column, as in pandas.
    if (!row.is_array() && frame.columns.size() != 1) return fail("a row is no list");
    const size_t cell_count = row.is_array() ? row.size() : 1;
    for (size_t c = 0; c < frame.columns.size(); ++c) {
      // A short row is filled up with missing values.
      frame.columns[c].cells.push_back(c >= cell_count  ? nullptr
                                       : row.is_array() ? &row.AsArray()[c]
                                                        : &row);
    }
  }
  return frame;
}

/// {"a": [1, 2], "b": [3, 4]}, or {"a": 1, "b": 3} for one row.
Result<Frame> FrameOfColumns(const Json::Object& object) {
  Frame frame;
  const bool has_lists = std::any_of(object.begin(), object.end(),
                                     [](const auto& member) { return member.second.is_array(); });
  frame.row_count = has_lists || object.empty() ? -1 : 1;
  for (const auto& [name, value] : object) {
    Frame::Column& column = frame.Get(name);
    column.cells.clear();  // of two members of one name the last counts, as in Python
    if (!has_lists) {
      column.cells.push_back(&value);
      continue;
    }
    const int64_t length = value.is_array() ? static_cast<int64_t>(value.size()) : -1;
    if (length < 0 || (frame.row_count >= 0 && frame.row_count != length)) {
      return FailedPrecondition(
          "This model contains a column-based signature, which suggests a DataFrame input. There "
          "was an error casting the input data to a DataFrame: All arrays must be of the same "
          "length");
    }
    frame.row_count = length;
    for (const Json& cell : value.AsArray()) column.cells.push_back(&cell);
  }
  frame.row_count = std::max<int64_t>(frame.row_count, 0);
  return frame;
}

/// A list without records: values of the only column, or rows without names.
Frame FrameOfList(const model::Signature& signature, const Json::Array& list) {
  Frame frame;
  frame.row_count = static_cast<int64_t>(list.size());
  const bool has_lists =
      std::any_of(list.begin(), list.end(), [](const Json& value) { return value.is_array(); });
  if (signature.inputs.size() == 1 && !has_lists) {
    Frame::Column& column = frame.Get(signature.inputs.front().name);
    for (const Json& value : list) column.cells.push_back(&value);
    return frame;
  }
  size_t width = list.empty() ? 0 : 1;
  for (const Json& value : list) width = std::max(width, value.is_array() ? value.size() : 1);
  for (size_t i = 0; i < width; ++i) frame.columns.push_back({std::to_string(i), {}});
  return frame;  // the names say that the columns are missing; the cells do not matter
}

Result<Frame> FrameOfTensor(const model::Signature& signature, const Json& data,
                            std::string_view format) {
  if (data.is_array()) {
    const Json::Array& list = data.AsArray();
    if (list.empty() || !list.front().is_object()) return FrameOfList(signature, list);
    ASSIGN_OR_RETURN(Frame frame, FrameOfRecords(list, format));
    for (const Frame::Column& column : frame.columns) {
      const auto has_gap =
          column.cells.size() < list.size() ||
          std::find(column.cells.begin(), column.cells.end(), nullptr) != column.cells.end();
      const std::optional<size_t> input = signature.FindInput(column.name);
      if (format == "instances" && has_gap && input && signature.inputs[*input].is_required) {
        return Invalid("The length of values for each input/column name are not the same");
      }
    }
    return frame;
  }
  if (data.is_object()) {
    if (format == "instances") {
      return Invalid("'instances' must be a list of rows; columns go into 'inputs'");
    }
    return FrameOfColumns(data.AsObject());
  }
  return Invalid(fmt::format("'{}' must be a list or a dictionary. Got type <class '{}'>.", format,
                             PythonTypeName(data)));
}

Result<bool> WantsProbabilities(const Json* params) {
  if (!params || params->is_null()) return false;
  if (!params->is_object()) {
    return FailedPrecondition(
        fmt::format("Parameters must be a dictionary. Got type '{}'.", PythonTypeName(*params)));
  }
  const Json* method = params->Find("predict_method");
  if (!method) return false;
  if (method->is_string() && method->AsString() == "predict") return false;
  if (method->is_string() && method->AsString() == "predict_proba") return true;
  return FailedPrecondition(
      "Invalid parameters found: predict_method is 'predict' or 'predict_proba'.");
}

Result<Frame> FrameOf(const model::Signature& signature, const Json& data,
                      std::string_view format) {
  if (format == "dataframe_split") return FrameOfSplit(data);
  if (format != "dataframe_records") return FrameOfTensor(signature, data, format);
  if (data.is_array()) return FrameOfRecords(data.AsArray(), format);
  return Invalid(fmt::format(
      "Dataframe records format must be a list of records. Got {}.",
      data.is_object() ? "dictionary" : fmt::format("type <class '{}'>", PythonTypeName(data))));
}

}  // namespace

Result<ParsedRequest> ParseJsonRequest(const model::Signature& signature, std::string_view body,
                                       int64_t row_count_max) {
  formats::JsonParseOptions options;
  options.file = "body";
  options.allow_nan_and_infinity = true;
  const Result<Json> json = formats::ParseJson(body, options);
  if (!json.ok()) {
    return Invalid(fmt::format("Ensure that input is a valid JSON formatted string. Error: '{}'",
                               json.error().ToString()));
  }
  if (json->is_array()) return Invalid(std::string(kRequiredFormat) + ". Received a list.");
  if (!json->is_object()) {
    return Invalid(fmt::format("{}. Received unexpected input type '<class '{}'>.", kRequiredFormat,
                               PythonTypeName(*json)));
  }
  std::vector<std::string_view> found;
  for (std::string_view format : kFormats) {
    if (json->Find(format)) found.push_back(format);
  }
  if (found.size() != 1) {
    std::string keys;
    for (const auto& [key, value] : json->AsObject()) {
      if (keys.size() > 500) break;
      keys += (keys.empty() ? "'" : ", '") + key + "'";
    }
    return InvalidArgument(
        fmt::format("{}. Received dictionary with input fields: [{}].", kRequiredFormat, keys));
  }
  ASSIGN_OR_RETURN(const bool wants_probabilities, WantsProbabilities(json->Find("params")));
  ASSIGN_OR_RETURN(const Frame frame, FrameOf(signature, json->At(found.front()), found.front()));
  if (frame.row_count > row_count_max) return TooManyRows(row_count_max);
  ASSIGN_OR_RETURN(ParsedRequest request, BuildRows(signature, frame));
  request.wants_probabilities = wants_probabilities;
  return request;
}

}  // namespace sluice::serve::internal
