// XGBoost's C API, opened on demand: the only file pair that knows it. The library is loaded when a
// model is trained, never to predict.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "learn/learner.h"

namespace sluice::learn::internal {

struct XgboostApi;  // function pointers

/// A matrix of the library. Moves; must not outlive its Xgboost.
class XgboostMatrix {
 public:
  XgboostMatrix(const XgboostApi& api, void* handle) : api_(&api), handle_(handle) {}
  ~XgboostMatrix();
  XgboostMatrix(XgboostMatrix&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)) {}
  XgboostMatrix& operator=(XgboostMatrix&&) = delete;
  void* handle() const { return handle_; }

 private:
  const XgboostApi* api_;
  void* handle_;
};

/// A model of the library in training. One thread at a time.
class XgboostBooster {
 public:
  XgboostBooster(const XgboostApi& api, void* handle) : api_(&api), handle_(handle) {}
  ~XgboostBooster();
  XgboostBooster(XgboostBooster&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)) {}
  XgboostBooster& operator=(XgboostBooster&&) = delete;

  Status SetParam(const std::string& name, const std::string& value);
  /// One boosting round from gradients of ours, rows × outputs.
  Status Boost(const XgboostMatrix& train, int iteration, std::span<float> gradients,
               std::span<float> hessians, int64_t output_count);
  /// Scores of all rounds so far; the span is valid until the booster is used again.
  Result<std::span<const float>> PredictMargins(const XgboostMatrix& matrix);
  Status SetFeatureNames(const std::vector<std::string>& names);
  /// The first `round_count` rounds.
  Result<XgboostBooster> Slice(int round_count);
  /// The model in UBJSON.
  Result<std::string> Save();

 private:
  const XgboostApi* api_;
  void* handle_;
};

/// The opened library. Thread-safe. Never unloaded, since its threads may still be there.
class Xgboost {
 public:
  /// The first that opens of: $SLUICE_XGBOOST_LIBRARY (alone, if set), the wheel in a virtual
  /// environment `build/venv` or `venv` beside or above the program, the system's. Errors:
  /// kUnavailable naming where was looked.
  static Result<Xgboost> Open();

  Xgboost(Xgboost&&) noexcept;
  ~Xgboost();

  /// "3.2.0"
  const std::string& version() const;
  const std::string& path() const;
  /// NaN is missing. `features` is not needed afterwards.
  Result<XgboostMatrix> MakeMatrix(const MatrixView& features, int thread_count) const;
  Result<XgboostBooster> MakeBooster(const std::vector<const XgboostMatrix*>& matrices) const;

 private:
  explicit Xgboost(std::unique_ptr<XgboostApi> api);
  std::unique_ptr<XgboostApi> api_;
};

}  // namespace sluice::learn::internal
