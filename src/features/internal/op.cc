#include "features/internal/op.h"

#include <fmt/format.h>

#include "base/suggest.h"

namespace sluice::features::internal {

const std::vector<OpKind>& OpKinds() {
  static const std::vector<OpKind> kinds = {KeepKind(), ImputeKind(), ScaleKind(),  ClipKind(),
                                            LogKind(),  BinKind(),    OneHotKind(), OrdinalKind(),
                                            HashKind(), DateKind()};
  return kinds;
}

Result<const OpKind*> FindOpKind(std::string_view name) {
  if (name == "passthrough") name = "keep";
  if (name == "hashing") name = "hash";
  std::vector<std::string> names;
  for (const OpKind& kind : OpKinds()) {
    if (kind.name == name) return &kind;
    names.emplace_back(kind.name);
  }
  return InvalidArgument(fmt::format("unknown operation '{}'{}; operations are {}", name,
                                     DidYouMean(name, names), fmt::join(names, ", ")));
}

}  // namespace sluice::features::internal
