// Reading schema files. Each key is a row of a table, from which the "did you mean" comes too.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/suggest.h"
#include "data/internal/pattern.h"
#include "data/internal/rule_parser.h"
#include "data/schema.h"
#include "formats/yaml.h"

namespace sluice::data {

namespace {

using formats::YamlNode;

constexpr int64_t kVersion = 1;

/// A key of a mapping that fills a T.
template <typename T>
struct Key {
  std::string_view name;
  Status (*read)(const YamlNode& node, T& out);
};

std::string Quoted(const YamlNode& node) {
  return node.is_scalar() ? fmt::format("'{}'", node.text()) : std::string(node.KindName());
}

template <typename T, size_t N>
Status ReadKeys(const YamlNode& node, std::string_view what, const Key<T> (&keys)[N], T& out) {
  if (!node.is_mapping())
    return node.ErrorHere(fmt::format("{} must be a mapping, not {}", what, node.KindName()));
  for (const YamlNode::Entry& entry : node.entries()) {
    const auto* key = std::find_if(std::begin(keys), std::end(keys),
                                   [&](const Key<T>& k) { return k.name == entry.key.text(); });
    if (key == std::end(keys)) {
      std::vector<std::string> names;
      for (const Key<T>& known : keys) names.emplace_back(known.name);
      return entry.key.ErrorHere(fmt::format("{} has no key '{}'{}", what, entry.key.text(),
                                             DidYouMean(entry.key.text(), names)));
    }
    RETURN_IF_ERROR(key->read(entry.value, out));
  }
  return Ok();
}

Status ReadSeverity(const YamlNode& node, Severity& out) {
  if (node.is_scalar() && node.text() == "warning") {
    out = Severity::kWarning;
  } else if (node.is_scalar() && node.text() == "error") {
    out = Severity::kError;
  } else {
    return node.ErrorHere(
        fmt::format("severity must be 'warning' or 'error', not {}", Quoted(node)));
  }
  return Ok();
}

/// A limit: its value, or {value, severity}. The severity is absent where it is not written.
struct LimitNode {
  const YamlNode* value = nullptr;
  std::optional<Severity> severity;
};

Result<LimitNode> ReadLimit(const YamlNode& node) {
  LimitNode limit{.value = &node, .severity = std::nullopt};
  if (!node.is_mapping()) return limit;
  static constexpr Key<LimitNode> kKeys[] = {
      {"value",
       [](const YamlNode& value, LimitNode& out) {
         out.value = &value;
         return Ok();
       }},
      {"severity", [](const YamlNode& value, LimitNode& out) {
         return ReadSeverity(value, out.severity.emplace(Severity::kError));
       }}};
  limit.value = nullptr;
  RETURN_IF_ERROR(ReadKeys(node, "a limit", kKeys, limit));
  if (limit.value == nullptr)
    return node.ErrorHere("a limit written as a mapping needs the key 'value'");
  return limit;
}

Result<double> ReadShare(const YamlNode& node) {
  double share = -1;
  std::string text = node.is_scalar() ? node.text() : "";
  bool is_percent = !text.empty() && text.back() == '%';
  if (is_percent) text.pop_back();
  Result<Cell> cell = ParseCell(text, ColumnType::kDouble);
  if (cell.ok()) share = std::get<double>(*cell) / (is_percent ? 100 : 1);
  if (!(share >= 0 && share <= 1)) {
    return node.ErrorHere(
        fmt::format("a share must be between 0 and 1, or 0% and 100%, not {}", Quoted(node)));
  }
  return share;
}

Result<int64_t> ReadCount(const YamlNode& node) {
  ASSIGN_OR_RETURN(int64_t count, node.AsInteger());
  if (count < 0) return node.ErrorHere(fmt::format("a count cannot be negative: {}", count));
  return count;
}

Result<Cell> ReadCell(const YamlNode& node, ColumnType type) {
  if (!node.is_scalar()) {
    return node.ErrorHere(fmt::format("expected a value of type {}, found {}", ColumnTypeName(type),
                                      node.KindName()));
  }
  Result<Cell> cell = ParseCell(node.text(), type);
  if (!cell.ok()) return std::move(cell).error().At(node.source());
  return cell;
}

Result<std::vector<std::string>> ReadNames(const YamlNode& node) {
  std::vector<std::string> names;
  if (node.is_scalar()) return std::vector<std::string>{node.text()};
  if (!node.is_sequence() || node.items().empty()) {
    return node.ErrorHere(
        fmt::format("expected a column's name or a list of names, found {}", node.KindName()));
  }
  for (const YamlNode& item : node.items()) {
    if (!item.is_scalar())
      return item.ErrorHere(fmt::format("expected a column's name, found {}", item.KindName()));
    if (std::find(names.begin(), names.end(), item.text()) != names.end()) {
      return item.ErrorHere(fmt::format("column '{}' stands twice in one key", item.text()));
    }
    names.push_back(item.text());
  }
  return names;
}

/// A column whose limits wait for its type, which may be written after them.
struct ColumnReader {
  ColumnSchema column;
  std::optional<Severity> severity;
  const YamlNode* min = nullptr;
  const YamlNode* max = nullptr;
  const YamlNode* allowed = nullptr;
  const YamlNode* pattern = nullptr;
  const YamlNode* min_length = nullptr;
  const YamlNode* max_length = nullptr;
  const YamlNode* max_null_share = nullptr;
  const YamlNode* unique = nullptr;
  const YamlNode* finite = nullptr;
  bool has_type = false;
};

Status ReadType(const YamlNode& node, ColumnReader& out) {
  ASSIGN_OR_RETURN(std::string name, node.AsString());
  std::optional<ColumnType> type = FindColumnType(name);
  if (!type) {
    static const std::vector<std::string> kNames = {"bool",   "int64", "double",
                                                    "string", "date",  "timestamp"};
    return node.ErrorHere(fmt::format("'{}' is no column type{}; known are {}", name,
                                      DidYouMean(name, kNames), fmt::join(kNames, ", ")));
  }
  out.column.type = *type;
  out.has_type = true;
  return Ok();
}

Status ReadBool(const YamlNode& node, bool& out) {
  ASSIGN_OR_RETURN(out, node.AsBool());
  return Ok();
}

template <auto Member>
Status Remember(const YamlNode& node, ColumnReader& out) {
  out.*Member = &node;
  return Ok();
}

constexpr Key<ColumnReader> kColumnKeys[] = {
    {"type", ReadType},
    {"description",
     [](const YamlNode& node, ColumnReader& out) -> Status {
       ASSIGN_OR_RETURN(out.column.description, node.AsString());
       return Ok();
     }},
    {"severity",
     [](const YamlNode& node, ColumnReader& out) {
       return ReadSeverity(node, out.severity.emplace(Severity::kError));
     }},
    {"required", [](const YamlNode& node,
                    ColumnReader& out) { return ReadBool(node, out.column.is_required); }},
    {"nullable", [](const YamlNode& node,
                    ColumnReader& out) { return ReadBool(node, out.column.is_nullable); }},
    {"max_null_share", Remember<&ColumnReader::max_null_share>},
    {"min", Remember<&ColumnReader::min>},
    {"max", Remember<&ColumnReader::max>},
    {"allowed", Remember<&ColumnReader::allowed>},
    {"pattern", Remember<&ColumnReader::pattern>},
    {"min_length", Remember<&ColumnReader::min_length>},
    {"max_length", Remember<&ColumnReader::max_length>},
    {"unique", Remember<&ColumnReader::unique>},
    {"finite", Remember<&ColumnReader::finite>}};

/// Reads one limit by `read`, if it is there, into `out`.
template <typename T, typename Read>
Status ReadInto(const YamlNode* node, Severity fallback, Read&& read,
                std::optional<Limit<T>>& out) {
  if (node == nullptr) return Ok();
  ASSIGN_OR_RETURN(LimitNode limit, ReadLimit(*node));
  ASSIGN_OR_RETURN(T value, read(*limit.value));
  out = Limit<T>{.value = std::move(value), .severity = limit.severity.value_or(fallback)};
  return Ok();
}

bool IsNan(const Cell& cell) {
  const double* number = std::get_if<double>(&cell);
  return number != nullptr && std::isnan(*number);
}

Result<Cell> ReadBound(const YamlNode& node, ColumnType type) {
  ASSIGN_OR_RETURN(Cell cell, ReadCell(node, type));
  if (IsNan(cell)) return node.ErrorHere("NaN is no limit");
  return cell;
}

Result<std::vector<Cell>> ReadAllowed(const YamlNode& node, ColumnType type) {
  if (!node.is_sequence() || node.items().empty()) {
    return node.ErrorHere(
        fmt::format("'allowed' must be a list of values, not {}", node.KindName()));
  }
  std::vector<Cell> cells;
  std::set<std::string> seen;
  for (const YamlNode& item : node.items()) {
    ASSIGN_OR_RETURN(Cell cell, ReadBound(item, type));
    if (!seen.insert(FormatCell(cell, type)).second) {
      return item.ErrorHere(
          fmt::format("the value '{}' stands twice in 'allowed'", FormatCell(cell, type)));
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

Result<std::string> ReadPattern(const YamlNode& node) {
  ASSIGN_OR_RETURN(std::string pattern, node.AsString());
  Status checked = internal::CheckPattern(pattern);
  if (!checked.ok()) return std::move(checked).error().At(node.source());
  return pattern;
}

Status CheckApplies(const YamlNode* node, bool applies, std::string_view key,
                    const ColumnSchema& column) {
  if (node == nullptr || applies) return Ok();
  return node->ErrorHere(fmt::format("column '{}' is of type {}, which cannot have '{}'",
                                     column.name, ColumnTypeName(column.type), key));
}

Status CheckOrder(const ColumnReader& reader) {
  const ColumnSchema& column = reader.column;
  if (column.min && column.max && CompareCells(column.min->value, column.max->value) > 0) {
    return reader.max->ErrorHere(fmt::format("column '{}': max {} is below min {}", column.name,
                                             FormatCell(column.max->value, column.type),
                                             FormatCell(column.min->value, column.type)));
  }
  if (column.min_length && column.max_length &&
      column.min_length->value > column.max_length->value) {
    return reader.max_length->ErrorHere(
        fmt::format("column '{}': max_length {} is below min_length {}", column.name,
                    column.max_length->value, column.min_length->value));
  }
  return Ok();
}

Result<ColumnSchema> ReadColumn(const YamlNode::Entry& entry) {
  ColumnReader reader;
  ColumnSchema& column = reader.column;
  column.name = entry.key.text();
  std::string what = fmt::format("column '{}'", column.name);
  if (entry.value.is_scalar()) {
    RETURN_IF_ERROR(ReadType(entry.value, reader));  // the short form, `age: int64`
    return column;
  }
  RETURN_IF_ERROR(ReadKeys(entry.value, what, kColumnKeys, reader));
  if (!reader.has_type) return entry.value.ErrorHere(what + " needs a 'type'");
  column.severity = reader.severity.value_or(Severity::kError);
  bool is_text = column.type == ColumnType::kString;
  RETURN_IF_ERROR(CheckApplies(reader.min, IsOrdered(column.type), "min", column));
  RETURN_IF_ERROR(CheckApplies(reader.max, IsOrdered(column.type), "max", column));
  RETURN_IF_ERROR(CheckApplies(reader.pattern, is_text, "pattern", column));
  RETURN_IF_ERROR(CheckApplies(reader.min_length, is_text, "min_length", column));
  RETURN_IF_ERROR(CheckApplies(reader.max_length, is_text, "max_length", column));
  RETURN_IF_ERROR(
      CheckApplies(reader.finite, column.type == ColumnType::kDouble, "finite", column));

  auto bound = [&](const YamlNode& node) { return ReadBound(node, column.type); };
  auto flag = [](const YamlNode& node) { return node.AsBool(); };
  Severity fallback = column.severity;
  RETURN_IF_ERROR(ReadInto(reader.max_null_share, fallback, ReadShare, column.max_null_share));
  RETURN_IF_ERROR(ReadInto(reader.min, fallback, bound, column.min));
  RETURN_IF_ERROR(ReadInto(reader.max, fallback, bound, column.max));
  RETURN_IF_ERROR(ReadInto(
      reader.allowed, fallback,
      [&](const YamlNode& node) { return ReadAllowed(node, column.type); }, column.allowed));
  RETURN_IF_ERROR(ReadInto(reader.pattern, fallback, ReadPattern, column.pattern));
  RETURN_IF_ERROR(ReadInto(reader.min_length, fallback, ReadCount, column.min_length));
  RETURN_IF_ERROR(ReadInto(reader.max_length, fallback, ReadCount, column.max_length));
  RETURN_IF_ERROR(ReadInto(reader.unique, fallback, flag, column.unique));
  RETURN_IF_ERROR(ReadInto(reader.finite, fallback, flag, column.finite));
  RETURN_IF_ERROR(CheckOrder(reader));
  return column;
}

/// The parts of a schema file that name columns, kept until all columns are known.
struct SchemaReader {
  Schema schema;
  const YamlNode* primary_key = nullptr;
  const YamlNode* unique = nullptr;
  const YamlNode* rules = nullptr;
  bool has_version = false;
};

Status ReadVersion(const YamlNode& node, SchemaReader& out) {
  ASSIGN_OR_RETURN(int64_t version, node.AsInteger());
  if (version != kVersion) {
    return node.ErrorHere(
        fmt::format("version {} is unknown; this program reads version {}", version, kVersion));
  }
  out.has_version = true;
  return Ok();
}

Status ReadRows(const YamlNode& node, SchemaReader& out) {
  struct Rows {
    const YamlNode* min = nullptr;
    const YamlNode* max = nullptr;
  } rows;
  static constexpr Key<Rows> kKeys[] = {{"min",
                                         [](const YamlNode& value, Rows& to) {
                                           to.min = &value;
                                           return Ok();
                                         }},
                                        {"max", [](const YamlNode& value, Rows& to) {
                                           to.max = &value;
                                           return Ok();
                                         }}};
  RETURN_IF_ERROR(ReadKeys(node, "'rows'", kKeys, rows));
  Schema& schema = out.schema;
  RETURN_IF_ERROR(ReadInto(rows.min, Severity::kError, ReadCount, schema.min_row_count));
  RETURN_IF_ERROR(ReadInto(rows.max, Severity::kError, ReadCount, schema.max_row_count));
  if (schema.min_row_count && schema.max_row_count &&
      schema.max_row_count->value < schema.min_row_count->value) {
    return rows.max->ErrorHere(fmt::format(
        "rows: max {} is below min {}", schema.max_row_count->value, schema.min_row_count->value));
  }
  return Ok();
}

Status ReadExtraColumns(const YamlNode& node, SchemaReader& out) {
  if (node.is_scalar() && node.text() == "allow") return Ok();
  Severity severity = Severity::kError;
  if (!ReadSeverity(node, severity).ok()) {
    return node.ErrorHere(
        fmt::format("extra_columns must be 'allow', 'warning' or 'error', not {}", Quoted(node)));
  }
  out.schema.extra_columns = severity;
  return Ok();
}

Status ReadColumns(const YamlNode& node, SchemaReader& out) {
  if (!node.is_mapping()) {
    return node.ErrorHere(
        fmt::format("'columns' must map names to columns, not be {}", node.KindName()));
  }
  for (const YamlNode::Entry& entry : node.entries()) {
    ASSIGN_OR_RETURN(ColumnSchema column, ReadColumn(entry));
    out.schema.columns.push_back(std::move(column));
  }
  return Ok();
}

constexpr Key<SchemaReader> kSchemaKeys[] = {
    {"version", ReadVersion},
    {"description",
     [](const YamlNode& node, SchemaReader& out) -> Status {
       ASSIGN_OR_RETURN(out.schema.description, node.AsString());
       return Ok();
     }},
    {"rows", ReadRows},
    {"extra_columns", ReadExtraColumns},
    {"primary_key",
     [](const YamlNode& node, SchemaReader& out) {
       out.primary_key = &node;
       return Ok();
     }},
    {"unique",
     [](const YamlNode& node, SchemaReader& out) {
       out.unique = &node;
       return Ok();
     }},
    {"rules",
     [](const YamlNode& node, SchemaReader& out) {
       out.rules = &node;
       return Ok();
     }},
    {"columns", ReadColumns}};

/// One key over columns: names, or {columns, severity}.
Result<Limit<std::vector<std::string>>> ReadKey(const YamlNode& node, const Schema& schema) {
  struct Parts {
    const YamlNode* columns = nullptr;
    Severity severity = Severity::kError;
  } parts;
  static constexpr Key<Parts> kKeys[] = {{"columns",
                                          [](const YamlNode& value, Parts& to) {
                                            to.columns = &value;
                                            return Ok();
                                          }},
                                         {"severity", [](const YamlNode& value, Parts& to) {
                                            return ReadSeverity(value, to.severity);
                                          }}};
  parts.columns = &node;
  if (node.is_mapping()) {
    parts.columns = nullptr;
    RETURN_IF_ERROR(ReadKeys(node, "a key", kKeys, parts));
    if (parts.columns == nullptr)
      return node.ErrorHere("a key written as a mapping needs 'columns'");
  }
  ASSIGN_OR_RETURN(std::vector<std::string> names, ReadNames(*parts.columns));
  for (const std::string& name : names)
    RETURN_IF_ERROR(internal::CheckKnownColumn(schema, name, *parts.columns));
  return Limit<std::vector<std::string>>{.value = std::move(names), .severity = parts.severity};
}

Result<RuleSchema> ReadRule(const YamlNode& node, const Schema& schema) {
  struct Parts {
    const YamlNode* rule = nullptr;
    Severity severity = Severity::kError;
  } parts;
  static constexpr Key<Parts> kKeys[] = {{"rule",
                                          [](const YamlNode& value, Parts& to) {
                                            to.rule = &value;
                                            return Ok();
                                          }},
                                         {"severity", [](const YamlNode& value, Parts& to) {
                                            return ReadSeverity(value, to.severity);
                                          }}};
  parts.rule = &node;
  if (node.is_mapping()) {
    parts.rule = nullptr;
    RETURN_IF_ERROR(ReadKeys(node, "a rule", kKeys, parts));
    if (parts.rule == nullptr)
      return node.ErrorHere("a rule written as a mapping needs the key 'rule'");
  }
  if (!parts.rule->is_scalar()) {
    return parts.rule->ErrorHere(
        fmt::format("a rule must be a text as 'start <= end', not {}", parts.rule->KindName()));
  }
  ASSIGN_OR_RETURN(RuleSchema rule, internal::ParseRule(*parts.rule, schema));
  rule.severity = parts.severity;
  return rule;
}

Status ReadKeysAndRules(SchemaReader& reader) {
  Schema& schema = reader.schema;
  if (reader.primary_key != nullptr) {
    ASSIGN_OR_RETURN(schema.primary_key, ReadKey(*reader.primary_key, schema));
  }
  if (reader.unique != nullptr) {
    if (!reader.unique->is_sequence())
      return reader.unique->ErrorHere("'unique' must be a list of keys, as [[a, b], [c]]");
    for (const YamlNode& item : reader.unique->items()) {
      ASSIGN_OR_RETURN(auto key, ReadKey(item, schema));
      schema.unique_keys.push_back(std::move(key));
    }
  }
  if (reader.rules != nullptr) {
    if (!reader.rules->is_sequence()) return reader.rules->ErrorHere("'rules' must be a list");
    for (const YamlNode& item : reader.rules->items()) {
      ASSIGN_OR_RETURN(RuleSchema rule, ReadRule(item, schema));
      schema.rules.push_back(std::move(rule));
    }
  }
  return Ok();
}

}  // namespace

Result<Schema> ParseSchema(std::string_view yaml, std::string_view file) {
  formats::YamlParseOptions options;
  options.file = std::string(file);
  ASSIGN_OR_RETURN(YamlNode root, formats::ParseYaml(yaml, options));
  SchemaReader reader;
  RETURN_IF_ERROR(ReadKeys(root, "a schema", kSchemaKeys, reader));
  if (!reader.has_version) return root.ErrorHere("a schema begins with 'version: 1'");
  RETURN_IF_ERROR(ReadKeysAndRules(reader));
  return std::move(reader.schema);
}

}  // namespace sluice::data
