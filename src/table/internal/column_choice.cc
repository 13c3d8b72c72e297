#include "table/internal/column_choice.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "base/suggest.h"

namespace sluice::table::internal {

namespace {

Error UnknownColumn(const std::string& name, const std::string& where,
                    const std::vector<std::string>& known) {
  return InvalidArgument(
      fmt::format("unknown column '{}' in {}{}", name, where, DidYouMean(name, known)));
}

}  // namespace

Result<ColumnChoice> ChooseColumns(const std::vector<FileColumns>& files,
                                   const ReadOptions& options) {
  std::vector<std::string> known;
  std::unordered_set<std::string> known_set;
  for (const FileColumns& file : files) {
    for (const std::string& name : file.names) {
      if (known_set.insert(name).second) known.push_back(name);
    }
  }
  for (const auto& [name, type] : options.types) {
    if (!known_set.contains(name)) return UnknownColumn(name, "the given types", known);
  }
  std::unordered_set<std::string> chosen;
  for (const std::string& name : options.columns) {
    if (!known_set.contains(name)) return UnknownColumn(name, "the columns to keep", known);
    if (!chosen.insert(name).second) {
      return InvalidArgument(
          fmt::format("column '{}' is listed twice in the columns to keep", name));
    }
  }
  ColumnChoice choice;
  choice.names = options.columns.empty() ? known : options.columns;
  for (const FileColumns& file : files) {
    std::unordered_map<std::string_view, size_t> places;
    for (size_t i = 0; i < file.names.size(); ++i) places.emplace(file.names[i], i);
    std::vector<std::optional<size_t>>& positions = choice.positions.emplace_back();
    for (const std::string& name : choice.names) {
      auto place = places.find(name);
      if (place != places.end()) {
        positions.push_back(place->second);
      } else if (options.allow_missing_columns) {
        positions.push_back(std::nullopt);
      } else {
        return InvalidArgument(
            fmt::format("'{}' has no column '{}', which another file has{}; allow missing columns, "
                        "or choose the "
                        "columns to keep",
                        file.path, name, DidYouMean(name, file.names)));
      }
    }
  }
  return choice;
}

}  // namespace sluice::table::internal
