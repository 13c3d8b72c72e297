#include "app/server_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include "objects/remote.h"

namespace sluice::app {

namespace {

/// Handlers wait for the database, not for the processor.
constexpr size_t kHandlerThreadCount = 64;

/// Options of MLflow's server that mean nothing here.
struct IgnoredOption {
  std::string_view name;
  std::string_view value;  ///< empty: a flag
  std::string_view variable;
  std::string_view why;
};
constexpr auto kIgnored = std::to_array<IgnoredOption>({
    {"gunicorn-opts", "TEXT", "MLFLOW_GUNICORN_OPTS", "there is no gunicorn"},
    {"waitress-opts", "TEXT", "", "there is no waitress"},
    {"uvicorn-opts", "TEXT", "MLFLOW_UVICORN_OPTS", "there is no uvicorn"},
    {"dev", "", "", "there is no Python code to reload"},
    {"read-replica-backend-store-uri", "URI", "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
     "all reads go to the backend store"},
    {"trace-archival-config", "FILE", "MLFLOW_TRACE_ARCHIVAL_CONFIG", "there are no traces"},
    {"secrets-cache-ttl", "S", "", "there is no gateway"},
    {"secrets-cache-max-size", "N", "", "there is no gateway"},
    {"workspace-store-uri", "URI", "MLFLOW_WORKSPACE_STORE_URI", "there is one workspace"},
    {"disable-workspaces", "", "", "there is one workspace"},
});

std::optional<std::string> FindVariable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (!value || *value == '\0') return std::nullopt;
  return value;
}

bool IsTrue(const std::optional<std::string>& value, bool fallback) {
  if (!value) return fallback;
  return *value == "1" || *value == "true" || *value == "True" || *value == "TRUE" ||
         *value == "yes" || *value == "on";
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return items;
}

Result<std::string> ReadStaticPrefix(const Arguments& arguments) {
  const std::string prefix = arguments.Get("static-prefix");
  if (prefix.empty()) return prefix;
  if (!prefix.starts_with('/') || prefix.ends_with('/') ||
      prefix.find_first_of("{}") != std::string::npos) {
    return InvalidArgument(
        fmt::format("--static-prefix must begin with a '/', not end with one and hold no '{{' or "
                    "'}}', not '{}'",
                    prefix));
  }
  return prefix;
}

Result<registry::SourceOptions> ReadSourceOptions(const ApiServerOptions& options) {
  registry::SourceOptions sources;
  sources.required_regex =
      FindVariable("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX").value_or("");
  RETURN_IF_ERROR(registry::CheckSourceRegex(sources.required_regex));
  sources.allowed_host_schemes =
      SplitList(FindVariable("MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES").value_or(""));
  sources.server_artifact_root = options.default_artifact_root;
  sources.artifacts_destination = options.artifacts_destination;
  return sources;
}

registry::WebhookOptions ReadWebhookOptions() {
  registry::WebhookOptions options;
  if (const auto schemes = FindVariable("MLFLOW_WEBHOOK_ALLOWED_SCHEMES")) {
    options.allowed_schemes = SplitList(*schemes);
  }
  options.allow_private_ips = IsTrue(FindVariable("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"), false);
  options.secret_key = FindVariable("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY").value_or("");
  return options;
}

/// A whole number of a variable, or `fallback`.
Result<int64_t> ReadNumber(std::string_view name, int64_t fallback, int64_t min, int64_t max) {
  const std::optional<std::string> text = FindVariable(name);
  if (!text) return fallback;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < min || number > max) {
    return InvalidArgument(
        fmt::format("{} takes a number from {} to {}, not '{}'", name, min, max, *text));
  }
  return number;
}

Result<registry::DeliveryOptions> ReadDeliveryOptions() {
  registry::DeliveryOptions options;
  ASSIGN_OR_RETURN(const int64_t timeout_s,
                   ReadNumber("MLFLOW_WEBHOOK_REQUEST_TIMEOUT", options.timeout_ms / 1000, 1, 600));
  ASSIGN_OR_RETURN(const int64_t retries, ReadNumber("MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES",
                                                     options.attempts_max - 1, 0, 1000));
  ASSIGN_OR_RETURN(const int64_t threads,
                   ReadNumber("MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS", options.thread_count, 1, 100));
  options.lease_ms += timeout_s * 1000 - options.timeout_ms;
  options.timeout_ms = timeout_s * 1000;
  options.attempts_max = static_cast<int>(retries) + 1;
  options.thread_count = static_cast<int>(threads);
  return options;
}

Result<api::SecurityOptions> ReadSecurityOptions(const Arguments& arguments) {
  api::SecurityOptions options;
  options.is_enabled = !arguments.Has("disable-security-middleware") &&
                       !IsTrue(FindVariable("MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE"), false);
  options.allowed_hosts = SplitList(arguments.Get("allowed-hosts"));
  options.allowed_origins = SplitList(arguments.Get("cors-allowed-origins"));
  options.x_frame_options = arguments.Get("x-frame-options");
  std::string upper = options.x_frame_options;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper != "SAMEORIGIN" && upper != "DENY" && upper != "NONE") {
    return InvalidArgument(fmt::format("--x-frame-options takes SAMEORIGIN, DENY or NONE, not '{}'",
                                       options.x_frame_options));
  }
  return options;
}

Status ReadHttpOptions(const Arguments& arguments, http::ServerOptions& http) {
  ASSIGN_OR_RETURN(const int64_t port, arguments.GetInteger("port", 5000, 0, 65535));
  ASSIGN_OR_RETURN(const int64_t workers, arguments.GetInteger("workers", 2, 1, 256));
  http.host = arguments.Get("host");
  http.port = static_cast<uint16_t>(port);
  http.loop_thread_count = static_cast<size_t>(workers);
  http.handler_thread_count = kHandlerThreadCount;
  http.handler_queue_capacity = 4096;
  http.tls_certificate_file = arguments.Get("tls-cert");
  http.tls_key_file = arguments.Get("tls-key");
  if (http.tls_certificate_file.empty() != http.tls_key_file.empty()) {
    return InvalidArgument("--tls-cert and --tls-key go together: give both or none");
  }
  return Ok();
}

}  // namespace

std::vector<CliOption> ServerOptionRows() {
  std::vector<CliOption> rows = {
      {"backend-store-uri", '\0', "URI",
       "the database: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME", false,
       "sqlite:///sluice.db", "MLFLOW_BACKEND_STORE_URI"},
      {"registry-store-uri", '\0', "URI",
       "another database for registered models; default: the backend store", false, "",
       "MLFLOW_REGISTRY_STORE_URI"},
      {"default-artifact-root", '\0', "URI",
       "where new experiments keep artifacts; default: mlflow-artifacts:/ (this server), with "
       "--no-serve-artifacts ./mlruns",
       false, "", "MLFLOW_DEFAULT_ARTIFACT_ROOT"},
      {"serve-artifacts", '\0', "", "take and give artifacts through this server (the default)"},
      {"no-serve-artifacts", '\0', "",
       "clients reach artifacts by themselves; also MLFLOW_SERVE_ARTIFACTS=false"},
      {"artifacts-only", '\0', "", "serve artifacts, no tracking", false, "",
       "MLFLOW_ARTIFACTS_ONLY"},
      {"artifacts-destination", '\0', "URI",
       "what stands behind mlflow-artifacts: a folder or s3://BUCKET/PREFIX", false,
       "./mlartifacts", "MLFLOW_ARTIFACTS_DESTINATION"},
      {"direct-bucket-access", '\0', "",
       "clients send and fetch large files at the bucket itself, by signed URLs; every client must "
       "reach its endpoint",
       false, "", "SLUICE_DIRECT_BUCKET_ACCESS"},
      {"public-url", '\0', "URL",
       "where clients reach this server, for the URLs it gives out; default: what their requests "
       "say",
       false, "", "SLUICE_PUBLIC_URL"},
      {"host", 'h', "HOST", "address to listen on", false, "127.0.0.1", "MLFLOW_HOST"},
      {"port", 'p', "PORT", "port to listen on; 0 chooses a free one", false, "5000",
       "MLFLOW_PORT"},
      {"workers", 'w', "N", "threads that read and write connections", false, "2",
       "MLFLOW_WORKERS"},
      {"app-name", '\0', "NAME",
       "basic-auth: users sign in; settings from MLFLOW_AUTH_CONFIG_PATH, "
       "MLFLOW_AUTH_ADMIN_USERNAME and MLFLOW_AUTH_ADMIN_PASSWORD"},
      {"static-prefix", '\0', "PATH", "put before all paths but those under /api", false, "",
       "MLFLOW_STATIC_PREFIX"},
      {"expose-prometheus", '\0', "DIR",
       "answer GET /metrics for Prometheus; the folder, which MLflow needs, is not used", false, "",
       "MLFLOW_EXPOSE_PROMETHEUS"},
      {"allowed-hosts", '\0', "LIST",
       "names under which browsers may reach this server, as mlflow.example.org,*.lab.org; * "
       "allows "
       "all; default: loopback names and private addresses",
       false, "", "MLFLOW_SERVER_ALLOWED_HOSTS"},
      {"cors-allowed-origins", '\0', "LIST",
       "origins whose pages may call this server, as https://app.example.org; * allows all, "
       "without "
       "credentials",
       false, "", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"},
      {"x-frame-options", '\0', "VALUE", "SAMEORIGIN, DENY, or NONE to allow framing", false,
       "SAMEORIGIN", "MLFLOW_SERVER_X_FRAME_OPTIONS"},
      {"disable-security-middleware", '\0', "",
       "no rules about hosts, origins and framing; also "
       "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE=true"},
      {"tls-cert", '\0', "FILE", "certificate chain in PEM: speak TLS only"},
      {"tls-key", '\0', "FILE", "the certificate's private key in PEM"},
      {"access-log", '\0', "FILE", "one line of JSON a request; - is standard error"},
      {"enable-workspaces", '\0', "", "refused: there is one workspace"},
  };
  for (const IgnoredOption& option : kIgnored) {
    rows.push_back(
        {option.name, '\0', option.value, "accepted, without effect", false, "", option.variable});
  }
  return rows;
}

Result<ServerSettings> ReadServerSettings(const Arguments& arguments) {
  ServerSettings settings;
  if (arguments.Has("enable-workspaces")) {
    return InvalidArgument("--enable-workspaces: this server has one workspace, named default");
  }
  for (const IgnoredOption& option : kIgnored) {
    if (arguments.Has(option.name)) {
      settings.notes.push_back(fmt::format("--{} has no effect: {}", option.name, option.why));
    }
  }
  ApiServerOptions& server = settings.server;
  RETURN_IF_ERROR(ReadHttpOptions(arguments, server.http));
  ASSIGN_OR_RETURN(server.service.static_prefix, ReadStaticPrefix(arguments));
  if (arguments.Has("serve-artifacts") && arguments.Has("no-serve-artifacts")) {
    return InvalidArgument("--serve-artifacts and --no-serve-artifacts contradict each other");
  }
  server.service.artifacts_only = arguments.Has("artifacts-only");
  server.service.serves_artifacts =
      arguments.Has("serve-artifacts") || (!arguments.Has("no-serve-artifacts") &&
                                           IsTrue(FindVariable("MLFLOW_SERVE_ARTIFACTS"), true));
  if (server.service.artifacts_only && !server.service.serves_artifacts) {
    return InvalidArgument("--artifacts-only needs artifacts: leave out --no-serve-artifacts");
  }
  server.default_artifact_root = arguments.Get("default-artifact-root");
  server.artifacts_destination = arguments.Get("artifacts-destination");
  server.sends_clients_to_bucket = arguments.Has("direct-bucket-access");
  server.public_url = arguments.Get("public-url");
  if (!server.public_url.empty() && !server.public_url.starts_with("http://") &&
      !server.public_url.starts_with("https://")) {
    return InvalidArgument(fmt::format(
        "--public-url takes a URL as https://ml.example.org, not '{}'", server.public_url));
  }
  ASSIGN_OR_RETURN(server.presigned_expiry_s,
                   ReadNumber("MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS",
                              server.presigned_expiry_s, 1, objects::kPresignedExpiryMaxS));
  ASSIGN_OR_RETURN(server.service.sources, ReadSourceOptions(server));
  if (const std::optional<std::string> app = arguments.Find("app-name")) {
    if (*app != "basic-auth") {
      return InvalidArgument(
          fmt::format("--app-name takes basic-auth; '{}' would be Python code", *app));
    }
    // Here an empty variable is one that is set: a secret that failed to arrive.
    const auto find = [](std::string_view name) -> std::optional<std::string> {
      const char* value = std::getenv(std::string(name).c_str());
      if (!value) return std::nullopt;
      return value;
    };
    ASSIGN_OR_RETURN(server.users, auth::LoadConfig(find));
  }
  ASSIGN_OR_RETURN(server.security, ReadSecurityOptions(arguments));
  server.security->static_prefix = server.service.static_prefix;
  server.exposes_metrics = arguments.Has("expose-prometheus");
  server.delivers_webhooks = true;
  server.webhooks = ReadWebhookOptions();
  ASSIGN_OR_RETURN(server.webhook_deliveries, ReadDeliveryOptions());
  settings.backend_uri = arguments.Get("backend-store-uri");
  settings.registry_uri = arguments.Get("registry-store-uri");
  settings.access_log = arguments.Get("access-log");
  return settings;
}

}  // namespace sluice::app
