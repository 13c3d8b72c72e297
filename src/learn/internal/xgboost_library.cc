#include "learn/internal/xgboost_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <cstdlib>

#include "io/fs.h"

namespace sluice::learn::internal {

// As in xgboost/c_api.h, which is not included: the library is found when the program runs, in any
// version from 1.7, and XGBoosterTrainOneIter is newer than the header that distributions have.
struct XgboostApi {
  std::string path;
  std::string version;

  void (*XGBoostVersion)(int*, int*, int*) = nullptr;
  const char* (*XGBGetLastError)() = nullptr;
  int (*XGBSetGlobalConfig)(const char*) = nullptr;
  int (*XGDMatrixCreateFromDense)(const char* data, const char* config, void** out) = nullptr;
  int (*XGDMatrixFree)(void*) = nullptr;
  int (*XGBoosterCreate)(void* const* matrices, uint64_t count, void** out) = nullptr;
  int (*XGBoosterFree)(void*) = nullptr;
  int (*XGBoosterSetParam)(void*, const char* name, const char* value) = nullptr;
  int (*XGBoosterBoostOneIter)(void*, void* train, float* gradients, float* hessians,
                               uint64_t count) = nullptr;
  int (*XGBoosterTrainOneIter)(void*, void* train, int iteration, const char* gradients,
                               const char* hessians) = nullptr;  ///< from 2.1
  int (*XGBoosterPredictFromDMatrix)(void*, void* matrix, const char* config,
                                     const uint64_t** shape, uint64_t* dimensions,
                                     const float** out) = nullptr;
  int (*XGBoosterSlice)(void*, int begin, int end, int step, void** out) = nullptr;
  int (*XGBoosterSaveModelToBuffer)(void*, const char* config, uint64_t* size,
                                    const char** out) = nullptr;
  int (*XGBoosterSetStrFeatureInfo)(void*, const char* field, const char** texts,
                                    uint64_t count) = nullptr;

  Status Check(int code, std::string_view what) const {
    if (code == 0) return Ok();
    // The message's first line says what is wrong; a stack trace follows.
    std::string message = XGBGetLastError();
    return Internal(fmt::format("xgboost {}: {}: {}", version, what,
                                message.substr(0, message.find("\nStack trace"))));
  }
};

namespace {

template <typename Function>
bool Load(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

Result<std::unique_ptr<XgboostApi>> OpenPath(const std::string& path) {
  // OpenMP's threads spin while they wait, unless told otherwise before it is loaded. On a machine
  // that does anything else that costs far more than waking up: 40 rounds with 2 threads took 21.7
  // s spinning, 0.6 s passive, at a load of 14 on 2 cores.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  // Kept for the life of the process: OpenMP's threads do not survive unloading.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return Unavailable(fmt::format("cannot open '{}': {}", path, dlerror()));
  std::unique_ptr<XgboostApi> api = std::make_unique<XgboostApi>();
  api->path = path;
  bool is_complete =
      Load(library, "XGBoostVersion", api->XGBoostVersion) &&
      Load(library, "XGBGetLastError", api->XGBGetLastError) &&
      Load(library, "XGBSetGlobalConfig", api->XGBSetGlobalConfig) &&
      Load(library, "XGDMatrixCreateFromDense", api->XGDMatrixCreateFromDense) &&
      Load(library, "XGDMatrixFree", api->XGDMatrixFree) &&
      Load(library, "XGBoosterCreate", api->XGBoosterCreate) &&
      Load(library, "XGBoosterFree", api->XGBoosterFree) &&
      Load(library, "XGBoosterSetParam", api->XGBoosterSetParam) &&
      Load(library, "XGBoosterPredictFromDMatrix", api->XGBoosterPredictFromDMatrix) &&
      Load(library, "XGBoosterSlice", api->XGBoosterSlice) &&
      Load(library, "XGBoosterSaveModelToBuffer", api->XGBoosterSaveModelToBuffer) &&
      Load(library, "XGBoosterSetStrFeatureInfo", api->XGBoosterSetStrFeatureInfo);
  bool can_boost = Load(library, "XGBoosterTrainOneIter", api->XGBoosterTrainOneIter);
  can_boost |= Load(library, "XGBoosterBoostOneIter", api->XGBoosterBoostOneIter);
  if (!is_complete || !can_boost)
    return Unavailable(fmt::format("'{}' is no XGBoost of version 1.7 or newer", path));
  int major = 0, minor = 0, patch = 0;
  api->XGBoostVersion(&major, &minor, &patch);
  api->version = fmt::format("{}.{}.{}", major, minor, patch);
  return api;
}

/// Paths that match, sorted.
std::vector<std::string> Glob(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

std::vector<std::string> Candidates() {
  std::vector<std::string> paths;
  auto add = [&](const std::string& pattern) {
    for (std::string& path : Glob(pattern)) paths.push_back(std::move(path));
  };
  char buffer[4096];
  ssize_t size = readlink("/proc/self/exe", buffer, sizeof buffer);
  std::string folder = size > 0 ? io::DirName(std::string(buffer, static_cast<size_t>(size))) : "/";
  for (int level = 0; level < 8 && folder != "/"; ++level, folder = io::DirName(folder)) {
    for (const char* venv : {"venv", "build/venv"}) {
      add(io::JoinPath(folder, venv) + "/lib/python3*/site-packages/xgboost/lib/libxgboost.so");
    }
    add(io::JoinPath(folder, "lib/sluice/libxgboost.so"));
  }
  for (const char* root : {"/usr/local/lib", "/usr/lib", "/usr/lib/*-linux-gnu"}) {
    add(std::string(root) + "/libxgboost.so");
    add(std::string(root) + "/libxgboost.so.*");
  }
  return paths;
}

std::string ArrayInterface(const void* data, int64_t rows, int64_t columns, std::string_view type) {
  return fmt::format(R"({{"data":[{},true],"shape":[{},{}],"typestr":"{}","version":3}})",
                     reinterpret_cast<uintptr_t>(data), rows, columns, type);
}

}  // namespace

Xgboost::Xgboost(std::unique_ptr<XgboostApi> api) : api_(std::move(api)) {}
Xgboost::Xgboost(Xgboost&&) noexcept = default;
Xgboost::~Xgboost() = default;
const std::string& Xgboost::version() const { return api_->version; }
const std::string& Xgboost::path() const { return api_->path; }

Result<Xgboost> Xgboost::Open() {
  const char* named = std::getenv("SLUICE_XGBOOST_LIBRARY");
  std::string failures;
  for (const std::string& path :
       named != nullptr ? std::vector<std::string>{named} : Candidates()) {
    Result<std::unique_ptr<XgboostApi>> api = OpenPath(path);
    if (api.ok()) {
      RETURN_IF_ERROR((*api)->Check((*api)->XGBSetGlobalConfig(R"({"verbosity":0})"), "configure"));
      return Xgboost(std::move(api).value());
    }
    failures += "; " + api.error().message();
  }
  return Unavailable(
      "learner gbdt needs XGBoost's library, and none opens: install the Python package "
      "xgboost-cpu into "
      "build/venv, or libxgboost-dev, or name the file in SLUICE_XGBOOST_LIBRARY" +
      failures);
}

Result<XgboostMatrix> Xgboost::MakeMatrix(const MatrixView& features, int thread_count) const {
  void* handle = nullptr;
  RETURN_IF_ERROR(api_->Check(
      api_->XGDMatrixCreateFromDense(
          ArrayInterface(features.values, features.row_count, features.column_count, "<f8").c_str(),
          fmt::format(R"({{"missing":NaN,"nthread":{}}})", thread_count).c_str(), &handle),
      "make a matrix"));
  return XgboostMatrix(*api_, handle);
}

Result<XgboostBooster> Xgboost::MakeBooster(
    const std::vector<const XgboostMatrix*>& matrices) const {
  std::vector<void*> handles;
  for (const XgboostMatrix* matrix : matrices) handles.push_back(matrix->handle());
  void* handle = nullptr;
  RETURN_IF_ERROR(api_->Check(api_->XGBoosterCreate(handles.data(), handles.size(), &handle),
                              "make a booster"));
  return XgboostBooster(*api_, handle);
}

XgboostMatrix::~XgboostMatrix() {
  if (handle_ != nullptr) api_->XGDMatrixFree(handle_);
}

XgboostBooster::~XgboostBooster() {
  if (handle_ != nullptr) api_->XGBoosterFree(handle_);
}

Status XgboostBooster::SetParam(const std::string& name, const std::string& value) {
  return api_->Check(api_->XGBoosterSetParam(handle_, name.c_str(), value.c_str()),
                     fmt::format("set {}", name));
}

Status XgboostBooster::Boost(const XgboostMatrix& train, int iteration, std::span<float> gradients,
                             std::span<float> hessians, int64_t output_count) {
  if (api_->XGBoosterTrainOneIter == nullptr) {
    return api_->Check(api_->XGBoosterBoostOneIter(handle_, train.handle(), gradients.data(),
                                                   hessians.data(), gradients.size()),
                       "boost");
  }
  int64_t rows = static_cast<int64_t>(gradients.size()) / output_count;
  return api_->Check(api_->XGBoosterTrainOneIter(
                         handle_, train.handle(), iteration,
                         ArrayInterface(gradients.data(), rows, output_count, "<f4").c_str(),
                         ArrayInterface(hessians.data(), rows, output_count, "<f4").c_str()),
                     "boost");
}

Result<std::span<const float>> XgboostBooster::PredictMargins(const XgboostMatrix& matrix) {
  const uint64_t* shape = nullptr;
  uint64_t dimensions = 0;
  const float* values = nullptr;
  RETURN_IF_ERROR(api_->Check(
      api_->XGBoosterPredictFromDMatrix(
          handle_, matrix.handle(),
          R"({"type":1,"training":true,"iteration_begin":0,"iteration_end":0,"strict_shape":false})",
          &shape, &dimensions, &values),
      "predict"));
  size_t size = 1;
  for (uint64_t i = 0; i < dimensions; ++i) size *= shape[i];
  return std::span<const float>(values, size);
}

Status XgboostBooster::SetFeatureNames(const std::vector<std::string>& names) {
  std::vector<const char*> texts;
  for (const std::string& name : names) texts.push_back(name.c_str());
  return api_->Check(
      api_->XGBoosterSetStrFeatureInfo(handle_, "feature_name", texts.data(), texts.size()),
      "set feature names");
}

Result<XgboostBooster> XgboostBooster::Slice(int round_count) {
  void* handle = nullptr;
  RETURN_IF_ERROR(api_->Check(api_->XGBoosterSlice(handle_, 0, round_count, 1, &handle), "slice"));
  return XgboostBooster(*api_, handle);
}

Result<std::string> XgboostBooster::Save() {
  uint64_t size = 0;
  const char* bytes = nullptr;
  RETURN_IF_ERROR(api_->Check(
      api_->XGBoosterSaveModelToBuffer(handle_, R"({"format":"ubj"})", &size, &bytes), "save"));
  return std::string(bytes, size);
}

}  // namespace sluice::learn::internal
