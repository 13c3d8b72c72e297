#include "app/mlflow_import/tally.h"

#include <bit>
#include <cmath>

namespace sluice::app::mlflow_import {
namespace {

constexpr std::string_view kNames[kKindCount] = {"experiments",
                                                 "experiment tags",
                                                 "runs",
                                                 "deleted runs",
                                                 "params",
                                                 "run tags",
                                                 "latest metrics",
                                                 "metric points",
                                                 "datasets",
                                                 "dataset inputs",
                                                 "dataset input tags",
                                                 "links of runs and models",
                                                 "logged models",
                                                 "logged model params",
                                                 "logged model tags",
                                                 "logged model metrics",
                                                 "registered models",
                                                 "registered model tags",
                                                 "model versions",
                                                 "deleted versions",
                                                 "model version tags",
                                                 "aliases",
                                                 "webhooks",
                                                 "users",
                                                 "roles",
                                                 "grants",
                                                 "artifact files",
                                                 "artifact bytes"};

/// SplitMix64's finaliser (Steele, Lea, Flood, 2014).
uint64_t Mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9U;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

uint64_t HashText(uint64_t hash, std::string_view text) {
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;  // FNV-1a
  return Mix(hash + text.size());
}

}  // namespace

std::string_view KindName(Kind kind) { return kNames[static_cast<size_t>(kind)]; }

void PointSums::Add(std::string_view run_id, const tracking::Metric& metric) {
  const bool is_nan = std::isnan(metric.value);
  ++point_count;
  nan_count += is_nan;
  uint64_t hash = HashText(0xcbf29ce484222325U, run_id);
  hash = HashText(hash, metric.key);
  hash = Mix(hash + static_cast<uint64_t>(metric.step));
  hash = Mix(hash + static_cast<uint64_t>(metric.timestamp_ms));
  // 0.0 and -0.0 are one value to a database.
  const double value = is_nan || metric.value == 0 ? 0.0 : metric.value;
  checksum += Mix(hash + std::bit_cast<uint64_t>(value) + (is_nan ? 1 : 0));
}

}  // namespace sluice::app::mlflow_import
