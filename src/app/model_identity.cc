#include "app/model_identity.h"

#include <fmt/format.h>

#include <string_view>

#include "base/sha256.h"
#include "io/fs.h"
#include "objects/store.h"

namespace sluice::app {

Result<std::string> ComputeModelIdentity(const std::string& folder) {
  std::string parts;
  for (std::string_view name : {"model.json", "features.json", "learner"}) {
    ASSIGN_OR_RETURN(objects::Stored part,
                     objects::HashPath(io::RealFs(), io::JoinPath(folder, name)));
    parts += fmt::format("{} {}\n", name, part.id.ToString());
  }
  return ComputeSha256(parts).ToHex();
}

}  // namespace sluice::app
