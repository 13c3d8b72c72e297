#include "app/mlflow_import/print.h"

#include <fmt/format.h>

#include <iterator>

namespace sluice::app::mlflow_import {

using formats::Json;

Json ComparisonJson(const Comparison& comparison, const Notes& notes) {
  Json counts = Json::MakeArray();
  for (const Comparison::CountRow& row : comparison.counts) {
    counts.Append(Json::MakeObject({{"kind", std::string(KindName(row.kind))},
                                    {"in_source", row.in_source},
                                    {"in_target", row.in_target},
                                    {"verdict", std::string(VerdictText(row.verdict))}}));
  }
  Json points = Json::MakeArray();
  for (const Comparison::PointsRow& row : comparison.points) {
    points.Append(
        Json::MakeObject({{"experiment_id", std::to_string(row.experiment_id)},
                          {"in_source", row.in_source.point_count},
                          {"in_target", row.in_target.point_count},
                          {"source_checksum", fmt::format("{:016x}", row.in_source.checksum)},
                          {"target_checksum", fmt::format("{:016x}", row.in_target.checksum)},
                          {"verdict", std::string(VerdictText(row.verdict))}}));
  }
  Json notes_json = Json::MakeArray();
  for (const auto& [what, note] : notes.all()) {
    notes_json.Append(
        Json::MakeObject({{"what", what}, {"count", note.count}, {"example", note.example}}));
  }
  return Json::MakeObject({{"is_complete", comparison.is_complete()},
                           {"counts", std::move(counts)},
                           {"points", std::move(points)},
                           {"notes", std::move(notes_json)}});
}

std::string ComparisonText(const Comparison& comparison, const Notes& notes, std::string_view left,
                           std::string_view right) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<26} {:>12} {:>12}\n", "", left, right);
  for (const Comparison::CountRow& row : comparison.counts) {
    if (row.in_source == 0 && row.in_target == 0) continue;
    fmt::format_to(out, "{:<26} {:>12} {:>12}  {}\n", KindName(row.kind), row.in_source,
                   row.in_target, VerdictText(row.verdict));
  }
  if (!comparison.points.empty()) {
    fmt::format_to(out, "\n{:<12} {:>12} {:>12} {:>18} {:>18}\n", "experiment", "points", "points",
                   "checksum", "checksum");
  }
  for (const Comparison::PointsRow& row : comparison.points) {
    fmt::format_to(out, "{:<12} {:>12} {:>12}   {:016x}   {:016x}  {}\n", row.experiment_id,
                   row.in_source.point_count, row.in_target.point_count, row.in_source.checksum,
                   row.in_target.checksum, VerdictText(row.verdict));
  }
  if (!notes.all().empty()) fmt::format_to(out, "\n");
  for (const auto& [what, note] : notes.all()) {
    fmt::format_to(out, "note: {} {}{}\n", note.count, what,
                   note.example.empty() ? "" : fmt::format(" (such as {})", note.example));
  }
  return text;
}

std::string ShownUri(const std::string& uri) {
  const size_t scheme = uri.find("://");
  const size_t at = uri.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos || at < scheme) return uri;
  const size_t colon = uri.find(':', scheme + 3);
  if (colon == std::string::npos || colon > at) return uri;
  return uri.substr(0, colon) + uri.substr(at);
}

}  // namespace sluice::app::mlflow_import
