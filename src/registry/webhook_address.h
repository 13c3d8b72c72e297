// Where webhooks may go: not into the network that the server stands in.
#pragma once

#include <string_view>

#include "base/result.h"
#include "registry/webhooks.h"

namespace sluice::registry {

/// What MLflow demands of a URL: a scheme that is allowed, a host, and only public addresses behind
/// it (unless allowed). Errors: kInvalidArgument in MLflow's words.
Status CheckWebhookUrl(std::string_view url, const WebhookOptions& options);
/// Whether an IP address may be talked to: public unicast only, IPv4 in IPv6 (mapped, 6to4, NAT64)
/// taken for what it is. False for what is no address. Pure.
bool IsPublicAddress(std::string_view address);

}  // namespace sluice::registry
