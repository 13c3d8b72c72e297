// `sluice server`: tracking, registry and artifacts for MLflow's clients.
#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>

#include <cstdio>

#include "app/api_server.h"
#include "app/cli/command.h"
#include "app/server_settings.h"
#include "base/log.h"
#include "http/access_log.h"

namespace sluice::app {

namespace {

constexpr int64_t kDrainMs = 10'000;
constexpr int kHeapCountMax = 2;

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<int> RunServer(const Arguments& arguments) {
  SetLogLevel(LogLevel::kInfo);
  // Each of the many threads would get a heap of its own, and keep what it once needed.
  mallopt(M_ARENA_MAX, kHeapCountMax);
  ASSIGN_OR_RETURN(ServerSettings settings, ReadServerSettings(arguments));
  for (const std::string& note : settings.notes) Log(LogLevel::kWarning, "{}", note);

  // Signals are taken by sigwait below; threads started from here on inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::unique_ptr<http::AccessLog> access_log;
  if (!settings.access_log.empty()) {
    const std::string path = settings.access_log == "-" ? "" : settings.access_log;
    ASSIGN_OR_RETURN(access_log, http::AccessLog::Open(path, http::AccessLogFormat::kJson));
    settings.server.http.on_answered = [&](const http::ServerOptions::Access& access) {
      access_log->Write(access);
    };
  }
  const std::string administrator =
      settings.server.users ? settings.server.users->admin_username : "";
  if (!settings.server.users && !IsLoopback(settings.server.http.host)) {
    Log(LogLevel::kWarning,
        "whoever reaches {}:{} may read, change and delete everything: --app-name basic-auth asks "
        "for a name and a password",
        settings.server.http.host, settings.server.http.port);
  }
  ASSIGN_OR_RETURN(
      std::unique_ptr<ApiServer> server,
      ApiServer::Start(std::move(settings.server), settings.backend_uri, settings.registry_uri));
  if (arguments.Has("json")) {
    fmt::print("{{\"url\":\"{}\"}}\n", server->url());
  } else {
    fmt::print("serving at {}\n  export MLFLOW_TRACKING_URI={}\n", server->url(), server->url());
  }
  if (const std::optional<std::string>& password = server->generated_password()) {
    fmt::print(
        stderr,
        "first start: the administrator is '{}' with the password {}\n  it is not shown again; "
        "change it with users/update-password or `sluice auth reset-password`\n",
        administrator, *password);
  }
  std::fflush(stdout);

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  // No new connection is taken from here on; requests under way are answered.
  server->Stop(kDrainMs);
  return 0;
}

}  // namespace

Command MakeServerCommand() {
  return {.name = "server",
          .summary = "serve experiments, runs, models and artifacts to MLflow's clients",
          .details =
              "Point MLFLOW_TRACKING_URI at it: clients of MLflow 2.22 to 3.x need no change. The "
              "options are those of\n`mlflow server`, and each variable is read when its option is "
              "not given. A database that MLflow made is\nnever touched; `sluice import mlflow` "
              "copies it. SIGTERM stops after the requests under way.",
          .positionals = {},
          .options = ServerOptionRows(),
          .run = RunServer};
}

}  // namespace sluice::app
