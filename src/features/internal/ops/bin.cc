// bin: the index of the interval a number falls into, as KBinsDiscretizer(encode="ordinal").
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "features/internal/argument.h"
#include "features/internal/op.h"
#include "features/internal/statistics.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

constexpr int64_t kMaxBins = 10'000;
constexpr double kNarrowestBin = 1e-8;  // scikit-learn's

struct Options {
  std::string method = "quantile";
  int64_t bin_count = 5;
  std::vector<double> edges;
};

// bin: 10 | quantile | uniform | {method: quantile, n: 10} | {edges: [18, 30, 65]}
Result<Options> ReadOptions(const Json& argument) {
  Options options;
  if (argument.is_null()) return options;
  if (argument.is_integer()) {
    ASSIGN_OR_RETURN(options.bin_count, Integer(argument, "n", 2, kMaxBins));
    return options;
  }
  if (argument.is_string()) {
    ASSIGN_OR_RETURN(options.method, Choice(argument, "method", {"quantile", "uniform"}));
    return options;
  }
  RETURN_IF_ERROR(CheckKeys(argument, {"method", "n", "edges"}));
  if (const Json* method = argument.Find("method")) {
    ASSIGN_OR_RETURN(options.method, Choice(*method, "method", {"quantile", "uniform", "edges"}));
  }
  if (const Json* count = argument.Find("n")) {
    ASSIGN_OR_RETURN(options.bin_count, Integer(*count, "n", 2, kMaxBins));
  }
  const Json* edges = argument.Find("edges");
  if (edges == nullptr) {
    if (options.method == "edges")
      return InvalidArgument("the method `edges` needs `edges: [...]`");
    return options;
  }
  if (argument.Find("n") != nullptr ||
      (argument.Find("method") != nullptr && options.method != "edges")) {
    return InvalidArgument("`edges` stands alone: without `n` and with no other method");
  }
  options.method = "edges";
  if (!edges->is_array() || edges->size() == 0 || edges->size() > static_cast<size_t>(kMaxBins)) {
    return InvalidArgument(
        fmt::format("edges is {}; it must be a list of 1 to {} numbers", Shown(*edges), kMaxBins));
  }
  for (const Json& edge : edges->AsArray()) {
    ASSIGN_OR_RETURN(double value, Number(edge, "an edge"));
    if (!options.edges.empty() && value <= options.edges.back())
      return InvalidArgument("edges must ascend");
    options.edges.push_back(value);
  }
  return options;
}

class Bin : public Op {
 public:
  /// Inner edges, ascending: bin i holds edges[i-1] <= x < edges[i].
  explicit Bin(std::vector<std::vector<double>> edges) : edges_(std::move(edges)) {}

  Status Apply(Block& block) const override {
    for (size_t c = 0; c < edges_.size(); ++c) {
      double* values = block.Column(c);
      const std::vector<double>& edges = edges_[c];
      for (int64_t i = 0; i < block.row_count; ++i) {
        if (std::isnan(values[i])) continue;
        values[i] = static_cast<double>(std::upper_bound(edges.begin(), edges.end(), values[i]) -
                                        edges.begin());
      }
    }
    return Ok();
  }
  void Advance(Signature& signature) const override {
    for (std::string& name : signature.names) name += "_bin";
  }
  Json ToJson() const override {
    Json columns = Json::MakeArray();
    for (const std::vector<double>& edges : edges_) columns.Append(NumbersToJson(edges));
    return Json::MakeObject({{"edges", std::move(columns)}});
  }

 private:
  const std::vector<std::vector<double>> edges_;
};

std::vector<double> InnerEdges(const Options& options, std::vector<double> present) {
  if (options.method == "edges") return options.edges;
  std::sort(present.begin(), present.end());
  if (present.empty() || present.front() == present.back()) return {};
  std::vector<double> edges;
  double low = present.front(), high = present.back();
  size_t count = static_cast<size_t>(options.bin_count);
  if (options.method == "uniform") {
    double step =
        (high - low) / static_cast<double>(count);  // numpy.linspace: index * step + start
    for (size_t i = 0; i < count; ++i) edges.push_back(static_cast<double>(i) * step + low);
    edges.push_back(high);
  } else {
    double step = 100.0 / static_cast<double>(count);
    for (size_t i = 0; i <= count; ++i) {
      double percent = i == count ? 100.0 : static_cast<double>(i) * step;
      edges.push_back(SortedAveragedInverseCdf(present, percent / 100));
    }
    // Bins narrower than scikit-learn's limit are merged with the one before.
    std::vector<double> kept{edges[0]};
    for (size_t i = 1; i < edges.size(); ++i) {
      if (edges[i] - edges[i - 1] > kNarrowestBin) kept.push_back(edges[i]);
    }
    edges = std::move(kept);
  }
  if (edges.size() <= 2) return {};
  return {edges.begin() + 1, edges.end() - 1};
}

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}

OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(context.argument));
  std::vector<std::vector<double>> edges;
  for (size_t c = 0; c < block.width; ++c) {
    edges.push_back(
        InnerEdges(options, Present({block.Column(c), static_cast<size_t>(block.row_count)})));
    for (double edge : edges.back()) {
      if (!std::isfinite(edge))
        return InvalidArgument("the values spread too far to be binned; clip or log first");
    }
    if (edges.back().empty()) {
      context.warnings.push_back(
          fmt::format("column '{}': bin finds a single bin, so that the feature is constant",
                      context.signature.input));
    }
  }
  return std::make_unique<Bin>(std::move(edges));
}

OpResult Load(const Json& json, const Signature& signature) {
  ASSIGN_OR_RETURN(const Json* columns, json.GetArray("edges"));
  if (columns->size() != signature.width())
    return InvalidArgument("'edges' does not have one list for each column");
  std::vector<std::vector<double>> edges;
  for (const Json& column : columns->AsArray()) {
    Json wrapped = Json::MakeObject({{"edges", column}});
    ASSIGN_OR_RETURN(std::vector<double> values, Numbers(wrapped, "edges", column.size()));
    if (!std::is_sorted(values.begin(), values.end()))
      return InvalidArgument("'edges' do not ascend");
    edges.push_back(std::move(values));
  }
  return std::make_unique<Bin>(std::move(edges));
}

}  // namespace

OpKind BinKind() {
  return {
      .name = "bin",
      .takes_numbers = true,
      .takes_text = false,
      .takes_time = false,
      .help = {"bin", "numbers",
               "bin: 10 | quantile | uniform | {method: uniform, n: 10} | {edges: [18, 30, 65]}",
               "The index of the interval, from 0; 5 bins unless `n` says otherwise. Intervals "
               "include their lower "
               "edge. As KBinsDiscretizer (quantile method averaged_inverted_cdf). With `edges` "
               "there is a bin "
               "below the first and above the last edge."},
      .check = Check,
      .fit = Fit,
      .load = Load};
}

}  // namespace sluice::features::internal
