// Writing schema files: as a person would, one line per column while it fits.
#include <fmt/format.h>

#include "data/schema.h"

namespace sluice::data {

namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Characters beyond ASCII that YAML takes for controls, marks or line ends.
bool IsSpecial(std::string_view character) {
  if (character.size() == 2)
    return character[0] == '\xc2' && static_cast<uint8_t>(character[1]) < 0xa0;
  for (std::string_view special : {"\u2028", "\u2029", "\ufeff", "\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    if (character == special) return true;
  }
  return false;
}

/// The bytes of the UTF-8 character that begins `text`.
std::string_view FirstCharacter(std::string_view text) {
  size_t end = 1;
  while (end < text.size() && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) ++end;
  return text.substr(0, end);
}

uint32_t CodePoint(std::string_view character) {
  uint32_t code = static_cast<uint8_t>(character[0]) & (0xffU >> (character.size() + 1));
  for (char c : character.substr(1)) code = (code << 6) | (static_cast<uint8_t>(c) & 0x3fU);
  return code;
}

bool CanBePlain(std::string_view text) {
  static constexpr std::string_view kWords[] = {
      "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE",
      "yes",  "Yes",  "YES",  "no",   "No",   "NO",   "on",    "On",    "ON",
      "off",  "Off",  "OFF",  "y",    "n",    "Y",    "N"};
  if (text.empty() || !IsLetter(text.front()) || text.back() == ' ') return false;
  for (std::string_view word : kWords) {
    if (text == word) return false;
  }
  for (char c : text) {
    bool is_plain = IsLetter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/' ||
                    c == ' ' || c == '+';
    if (!is_plain) return false;
  }
  return true;
}

/// Text as YAML that reads back to the same bytes: plain if nothing in it could mean something
/// else.
std::string Scalar(std::string_view text) {
  if (CanBePlain(text)) return std::string(text);
  std::string quoted = "\"";
  while (!text.empty()) {
    std::string_view character = FirstCharacter(text);
    text.remove_prefix(character.size());
    char c = character[0];
    if (character.size() > 1) {
      quoted += IsSpecial(character) ? fmt::format("\\u{:04x}", CodePoint(character))
                                     : std::string(character);
    } else if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string CellScalar(const Cell& cell, ColumnType type) {
  std::string text = FormatCell(cell, type);
  if (type == ColumnType::kTimestamp) return "\"" + text + "\"";
  return type == ColumnType::kString ? Scalar(text) : text;
}

std::string LimitText(std::string value, Severity severity, Severity usual) {
  if (severity == usual) return value;
  return fmt::format("{{value: {}, severity: {}}}", value, SeverityName(severity));
}

std::string Names(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& name : names) text += (text.size() > 1 ? ", " : "") + Scalar(name);
  return text + "]";
}

std::string KeyText(const Limit<std::vector<std::string>>& key) {
  if (key.severity == Severity::kError) return Names(key.value);
  return fmt::format("{{columns: {}, severity: {}}}", Names(key.value), SeverityName(key.severity));
}

std::string CellList(const std::vector<Cell>& cells, ColumnType type) {
  std::string text = "[";
  for (const Cell& cell : cells) text += (text.size() > 1 ? ", " : "") + CellScalar(cell, type);
  return text + "]";
}

std::string ColumnText(const ColumnSchema& column) {
  std::vector<std::string> parts{fmt::format("type: {}", ColumnTypeName(column.type))};
  auto add = [&](std::string_view key, std::string value) {
    parts.push_back(fmt::format("{}: {}", key, value));
  };
  auto add_limit = [&](std::string_view key, const auto& limit, auto&& print) {
    if (limit) add(key, LimitText(print(limit->value), limit->severity, column.severity));
  };
  auto cell = [&](const Cell& value) { return CellScalar(value, column.type); };
  auto number = [](auto value) { return fmt::format("{}", value); };
  auto text = [](const std::string& value) { return Scalar(value); };
  if (!column.description.empty()) add("description", Scalar(column.description));
  if (column.severity != Severity::kError)
    add("severity", std::string(SeverityName(column.severity)));
  if (!column.is_required) add("required", "false");
  if (!column.is_nullable) add("nullable", "false");
  add_limit("max_null_share", column.max_null_share,
            [](double value) { return formats::PrintDouble(value); });
  add_limit("min", column.min, cell);
  add_limit("max", column.max, cell);
  add_limit("allowed", column.allowed,
            [&](const std::vector<Cell>& cells) { return CellList(cells, column.type); });
  add_limit("pattern", column.pattern, text);
  add_limit("min_length", column.min_length, number);
  add_limit("max_length", column.max_length, number);
  add_limit("unique", column.unique, number);
  add_limit("finite", column.finite, number);
  return fmt::format("  {}: {{{}}}\n", Scalar(column.name), fmt::join(parts, ", "));
}

std::string RowsText(const Schema& schema) {
  std::string text;
  auto add = [&](std::string_view key, const std::optional<Limit<int64_t>>& limit) {
    if (!limit) return;
    text +=
        fmt::format("{}{}: {}", text.empty() ? "" : ", ", key,
                    LimitText(fmt::format("{}", limit->value), limit->severity, Severity::kError));
  };
  add("min", schema.min_row_count);
  add("max", schema.max_row_count);
  return text.empty() ? "" : "rows: {" + text + "}\n";
}

}  // namespace

std::string PrintSchema(const Schema& schema) {
  std::string text = "version: 1\n";
  if (!schema.description.empty()) text += "description: " + Scalar(schema.description) + "\n";
  text += RowsText(schema);
  if (schema.extra_columns)
    text += fmt::format("extra_columns: {}\n", SeverityName(*schema.extra_columns));
  if (schema.primary_key) text += "primary_key: " + KeyText(*schema.primary_key) + "\n";
  if (!schema.unique_keys.empty()) {
    text += "unique:\n";
    for (const auto& key : schema.unique_keys) text += "  - " + KeyText(key) + "\n";
  }
  if (!schema.rules.empty()) {
    text += "rules:\n";
    for (const RuleSchema& rule : schema.rules) {
      std::string printed = Scalar(rule.ToString());
      text += rule.severity == Severity::kError ? fmt::format("  - {}\n", printed)
                                                : fmt::format("  - {{rule: {}, severity: {}}}\n",
                                                              printed, SeverityName(rule.severity));
    }
  }
  if (schema.columns.empty()) return text + "columns: {}\n";
  text += "columns:\n";
  for (const ColumnSchema& column : schema.columns) text += ColumnText(column);
  return text;
}

}  // namespace sluice::data
