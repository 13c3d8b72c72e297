// hash: categories into a fixed number of columns by a hash that never changes (StableHash64).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "features/internal/argument.h"
#include "features/internal/op.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

constexpr int64_t kMaxBuckets = 65'536;

// hash: 64 | {buckets: 64, seed: 0}
struct Options {
  int64_t bucket_count = 0;
  int64_t seed = 0;
};

Result<Options> ReadOptions(const Json& argument) {
  Options options;
  const Json* buckets = &argument;
  if (argument.is_object()) {
    RETURN_IF_ERROR(CheckKeys(argument, {"buckets", "seed"}));
    buckets = argument.Find("buckets");
    if (const Json* seed = argument.Find("seed")) {
      ASSIGN_OR_RETURN(options.seed,
                       Integer(*seed, "seed", 0, std::numeric_limits<int64_t>::max()));
    }
  }
  if (buckets == nullptr || buckets->is_null())
    return InvalidArgument("hash needs the number of buckets, as in `hash: 64`");
  ASSIGN_OR_RETURN(options.bucket_count, Integer(*buckets, "buckets", 2, kMaxBuckets));
  return options;
}

class Hash : public Op {
 public:
  Hash(Options options, size_t width) : options_(options), width_(width) {}

  Status Apply(Block& block) const override {
    size_t rows = static_cast<size_t>(block.row_count);
    size_t buckets = static_cast<size_t>(options_.bucket_count);
    double* out = block.StartScratch(width_ * buckets);
    std::fill_n(out, width_ * buckets * rows, 0.0);
    for (size_t c = 0; c < width_; ++c) {
      for (size_t i = 0; i < rows; ++i) {
        uint64_t hash = 0;
        if (block.kind == ValueKind::kText) {
          if (block.texts[i].data() == nullptr) continue;
          hash = StableHash64(block.texts[i], static_cast<uint64_t>(options_.seed));
        } else {
          double value = block.Column(c)[i];
          if (std::isnan(value)) continue;
          hash = StableHash64(NumberText(value), static_cast<uint64_t>(options_.seed));
        }
        out[(c * buckets + hash % buckets) * rows + i] = 1;
      }
    }
    block.AdoptScratch(width_ * buckets);
    return Ok();
  }
  void Advance(Signature& signature) const override {
    std::vector<std::string> names;
    for (const std::string& name : signature.names) {
      for (int64_t i = 0; i < options_.bucket_count; ++i)
        names.push_back(fmt::format("{}_hash_{}", name, i));
    }
    signature.names = std::move(names);
    signature.kind = ValueKind::kNumbers;
  }
  Json ToJson() const override {
    return Json::MakeObject({{"buckets", options_.bucket_count}, {"seed", options_.seed}});
  }

 private:
  const Options options_;
  const size_t width_;
};

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}
OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(context.argument));
  return std::make_unique<Hash>(options, block.width);
}
OpResult Load(const Json& json, const Signature& signature) {
  Json argument = Json::MakeObject();
  for (const char* key : {"buckets", "seed"}) {
    if (const Json* value = json.Find(key)) argument[key] = *value;
  }
  ASSIGN_OR_RETURN(Options options, ReadOptions(argument));
  // Checked here because the names are built before the graph counts its features.
  if (static_cast<int64_t>(signature.width()) > kMaxFeatureCount / options.bucket_count) {
    return ResourceExhausted("hash gives too many features");
  }
  return std::make_unique<Hash>(options, signature.width());
}

}  // namespace

OpKind HashKind() {
  return {.name = "hash",
          .takes_numbers = true,
          .takes_text = true,
          .takes_time = false,
          .help = {"hash", "numbers or text", "hash: 64 | {buckets: 64, seed: 0}",
                   "A column of 0 and 1 for each bucket; the value's hash says which is 1. "
                   "Categories may share a bucket, "
                   "none is ever unknown, and missing values give zeros. `hashing` is the same."},
          .check = Check,
          .fit = Fit,
          .load = Load};
}

}  // namespace sluice::features::internal
