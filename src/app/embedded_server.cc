#include "app/embedded_server.h"

#include "base/id.h"
#include "io/fs.h"

namespace sluice::app {

namespace {

constexpr size_t kTokenDigits = 64;
constexpr size_t kHandlerThreads = 8;

}  // namespace

Result<TrackingServer> EmbeddedServer::Find() {
  if (server_ == nullptr) {
    ASSIGN_OR_RETURN(sql::Db * db, project_.Db());
    ApiServerOptions options;
    options.http.handler_thread_count = kHandlerThreads;
    options.artifacts_destination = io::JoinPath(project_.state_dir(), kArtifactsFolder);
    options.bearer_token = NewRandomHex(kTokenDigits);
    address_.token = options.bearer_token;
    ASSIGN_OR_RETURN(server_, ApiServer::StartOver(std::move(options), *db));
    address_.uri = server_->url();
  }
  return address_;
}

}  // namespace sluice::app
