#include "serve/serve.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdio>

#include "app/cli/command.h"
#include "app/project.h"
#include "app/version.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "model/model.h"

namespace sluice::app {

namespace {

constexpr int64_t kDrainMs = 10'000;

Result<int> RunServe(const Arguments& arguments) {
  ASSIGN_OR_RETURN(int64_t port, arguments.GetInteger("port", 5000, 0, 65535));
  ASSIGN_OR_RETURN(int64_t workers, arguments.GetInteger("workers", 4, 1, 1024));
  ASSIGN_OR_RETURN(int64_t body_limit,
                   arguments.GetInteger("max-body-bytes", 64 << 20, 1, int64_t{1} << 40));
  ASSIGN_OR_RETURN(std::string folder,
                   FindModelFolder(arguments.Positional(0), arguments.Get("project")));
  ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> model, model::Model::Load(folder));

  // Signals are taken by sigwait below; threads started from here on inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  http::ServerOptions options;
  options.host = arguments.Get("host");
  options.port = static_cast<uint16_t>(port);
  options.handler_thread_count = static_cast<size_t>(workers);
  options.body_bytes_max = body_limit;
  if (arguments.Has("access-log")) {
    options.on_answered = [](const http::ServerOptions::Access& access) {
      fmt::print(stderr, "{} {} \"{} {}\" {} {} {:.3f} ms\n",
                 FormatUtc(SystemClock().NowMs(), true), access.peer, access.method, access.path,
                 access.status, access.body_bytes, static_cast<double>(access.duration_ns) / 1e6);
    };
  }
  ASSIGN_OR_RETURN(std::unique_ptr<http::Server> server,
                   http::Server::Start(options, http::Router(serve::BuildRoutes(
                                                    model, {.version = std::string(kVersion)}))));
  if (arguments.Has("json")) {
    fmt::print("{{\"url\":\"{}\"}}\n", server->url());
  } else {
    fmt::print("serving {} at {}/invocations\n", arguments.Positional(0), server->url());
  }
  std::fflush(stdout);

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  // No new connection is taken from here on; requests under way are answered.
  server->Stop(kDrainMs);
  return 0;
}

}  // namespace

Command MakeServeCommand() {
  return {
      .name = "serve",
      .summary = "answer predictions over HTTP: POST /invocations, as MLflow's scoring server",
      .details =
          "MODEL is a model folder, models:/NAME/VERSION, models:/NAME@ALIAS or "
          "models:/NAME/latest.\n"
          "POST /invocations takes dataframe_split, dataframe_records, instances, inputs and CSV;\n"
          "GET /ping, /health and /version answer too. SIGTERM stops after the requests under way.",
      .positionals = {{"MODEL", "what to serve"}},
      .options = {{"host", '\0', "HOST", "address to listen on", false, "127.0.0.1"},
                  {"port", 'p', "PORT", "port to listen on; 0 chooses a free one", false, "5000"},
                  {"workers", '\0', "N", "threads for large requests", false, "4"},
                  {"max-body-bytes", '\0', "BYTES", "largest request body", false, "67108864"},
                  {"access-log", '\0', "", "one line a request on standard error"}},
      .run = RunServe};
}

}  // namespace sluice::app
