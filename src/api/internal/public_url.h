// Under which URL a client sees this server. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/artifact_service.h"
#include "base/result.h"
#include "http/message.h"

namespace sluice::api::internal {

/// "https://ml.example.com/team", without a slash at its end: options.public_url, else what the
/// request says: X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix of a proxy in front,
/// else Host. Only the caller itself is told the result, so trusting these fields gives nobody
/// anything. Errors: kInvalidArgument where they are no host and port.
Result<std::string> PublicUrl(const http::Request& request, const ArtifactServiceOptions& options);

}  // namespace sluice::api::internal
