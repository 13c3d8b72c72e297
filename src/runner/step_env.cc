#include <algorithm>
#include <array>
#include <string_view>

#include "runner/run.h"

namespace sluice::runner {
namespace {

/// What a step sees of the caller's environment. A name that ends in '*' is a prefix. Everything
/// else, credentials above all, must be named in the environment file.
constexpr std::array<std::string_view, 35> kInherited = {
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
    "TERM",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYENV_ROOT",
    "R_LIBS",
    "R_LIBS_USER",
    "JULIA_DEPOT_PATH",
    "LD_LIBRARY_PATH",
    "CUDA_HOME",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
};

bool IsInherited(std::string_view name) {
  for (std::string_view row : kInherited) {
    if (row.ends_with('*') ? name.starts_with(row.substr(0, row.size() - 1)) : name == row) {
      return true;
    }
  }
  return false;
}

}  // namespace

io::EnvPairs InheritedEnv(const io::EnvPairs& caller_env) {
  io::EnvPairs inherited;
  for (const auto& variable : caller_env) {
    if (IsInherited(variable.first)) inherited.push_back(variable);
  }
  std::sort(inherited.begin(), inherited.end());
  return inherited;
}

}  // namespace sluice::runner
