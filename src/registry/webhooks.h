// Webhooks: who wants to hear of what, and the outbox of what was not told yet. An event is written
// in the transaction of the change it tells of, one row for each webhook that listens;
// webhook_delivery.h sends the rows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "formats/json.h"
#include "sql/db.h"

namespace sluice::registry {

/// Persisted: never renumber. Up to kPromptAlias they are MLflow's; kRun and kMetric are ours.
enum class WebhookEntity : uint8_t {
  kRegisteredModel = 1,
  kModelVersion = 2,
  kModelVersionTag = 3,
  kModelVersionAlias = 4,
  kPrompt = 5,
  kPromptVersion = 6,
  kPromptTag = 7,
  kPromptVersionTag = 8,
  kPromptAlias = 9,
  kBudgetPolicy = 10,  ///< accepted as MLflow does; nothing here makes such events
  kRun = 100,
  kMetric = 101,
};
enum class WebhookAction : uint8_t {
  kCreated = 1,
  kUpdated = 2,
  kDeleted = 3,
  kSet = 4,
  kExceeded = 5,
  kFinished = 100,  ///< of kRun
  kReached = 101,   ///< of kMetric: the condition has become true
};
/// "registered_model", "model_version_tag", ..., "run", "metric". Upper case on the API, lower case
/// in deliveries.
std::string_view WebhookEntityName(WebhookEntity entity);
std::string_view WebhookActionName(WebhookAction action);
std::optional<WebhookEntity> FindWebhookEntity(std::string_view name_in_any_case);
std::optional<WebhookAction> FindWebhookAction(std::string_view name_in_any_case);
/// Whether MLflow's clients know it.
inline bool IsMlflowEntity(WebhookEntity entity) { return entity < WebhookEntity::kRun; }

/// Persisted: never renumber.
enum class Comparator : uint8_t {
  kGreater = 1,
  kGreaterOrEqual = 2,
  kLess = 3,
  kLessOrEqual = 4,
  kEqual = 5,
  kNotEqual = 6,
};
/// ">", ">=", "<", "<=", "=", "!=".
std::string_view ComparatorText(Comparator comparator);
std::optional<Comparator> FindComparator(std::string_view text);

/// What a webhook listens to. The fields after `action` are of kRun and kMetric only.
struct WebhookEvent {
  WebhookEntity entity = WebhookEntity::kRegisteredModel;
  WebhookAction action = WebhookAction::kCreated;
  std::string experiment_id;          ///< of that experiment only; empty: of any
  std::vector<std::string> statuses;  ///< kRun: "FINISHED", "FAILED", "KILLED"; empty: any of them
  std::string metric_key;             ///< kMetric
  Comparator comparator = Comparator::kGreater;
  double threshold = 0;  ///< finite

  friend bool operator==(const WebhookEvent&, const WebhookEvent&) = default;
};

enum class WebhookStatus : uint8_t { kActive = 1, kDisabled = 2 };
std::string_view WebhookStatusName(WebhookStatus status);  ///< "ACTIVE", "DISABLED"
std::optional<WebhookStatus> FindWebhookStatus(std::string_view name);

/// The secret is not part of it: it never leaves the store but to sign.
struct Webhook {
  std::string id;
  std::string name;
  std::string description;
  bool has_description = false;
  std::string url;
  std::vector<WebhookEvent> events;
  WebhookStatus status = WebhookStatus::kActive;
  bool has_secret = false;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
};

struct NewWebhook {
  std::string name;
  std::string url;
  std::vector<WebhookEvent> events;
  std::optional<std::string> description;
  std::optional<std::string> secret;
  WebhookStatus status = WebhookStatus::kActive;
};

/// What is not given stays.
struct WebhookChange {
  std::optional<std::string> name;
  std::optional<std::string> url;
  std::optional<std::vector<WebhookEvent>> events;
  std::optional<std::string> description;
  std::optional<std::string> secret;
  std::optional<WebhookStatus> status;
};

struct WebhookPage {
  std::vector<Webhook> webhooks;  ///< newest first
  std::string next_page_token;
};
inline constexpr int64_t kWebhookPageMax = 1000;

inline constexpr size_t kWebhookUrlLengthMax = 2048;

/// The addresses of a host, as text. Errors: kNotFound, kUnavailable.
using ResolveFunction = std::function<Result<std::vector<std::string>>(const std::string& host)>;
/// The system's resolver. Blocks.
Result<std::vector<std::string>> ResolveHost(const std::string& host);

struct WebhookOptions {
  /// MLFLOW_WEBHOOK_ALLOWED_SCHEMES, lower case: of http and https.
  std::vector<std::string> allowed_schemes = {"https"};
  /// MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS.
  bool allow_private_ips = false;
  /// MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: any text; secrets are sealed with it. Empty: they lie in
  /// the database as they are. See docs/internals/decisions/registry-webhooks.md.
  std::string secret_key;
  /// False where runs are in another database: webhooks on runs and metrics are refused then.
  bool has_run_events = true;
  ResolveFunction resolve = ResolveHost;
};

/// How an attempt to deliver ended.
struct DeliveryAttempt {
  bool is_success = false;     ///< status 200 to 299: redirects are not followed
  int http_status = 0;         ///< 0: no answer
  std::string response_body;   ///< its first kilobyte, UTF-8
  std::string error;           ///< empty on success; names no secret
  bool is_final = false;       ///< trying again would be useless
  int64_t retry_after_ms = 0;  ///< what the receiver asked for
};

/// Persisted: never renumber.
enum class DeliveryState : uint8_t { kWaiting = 0, kDelivered = 1, kGivenUp = 2 };
std::string_view DeliveryStateName(DeliveryState state);  ///< "WAITING", "DELIVERED", "GIVEN_UP"

/// A row of the outbox, without its payload.
struct Delivery {
  std::string id;  ///< X-MLflow-Delivery-Id
  WebhookEntity entity = WebhookEntity::kRegisteredModel;
  WebhookAction action = WebhookAction::kCreated;
  int64_t created_ms = 0;
  DeliveryState state = DeliveryState::kWaiting;
  int64_t due_ms = 0;  ///< of the next attempt, while waiting
  int64_t attempt_count = 0;
  int last_http_status = 0;
  std::string last_error;
};

struct RunFinished {
  std::string run_id;
  std::string run_name;
  std::string experiment_id;
  std::string status;  ///< "FINISHED", "FAILED", "KILLED"
  int64_t start_time_ms = 0;
  int64_t end_time_ms = 0;
};

struct MetricPoint {
  std::string key;
  double value = 0;
  int64_t timestamp_ms = 0;
  int64_t step = 0;
};
struct MetricPoints {
  std::string run_id;
  std::string experiment_id;
  std::vector<MetricPoint> points;
};

/// Thread-safe, and safe for several replicas over one database.
class Webhooks {
 public:
  virtual ~Webhooks() = default;

  /// Errors: kInvalidArgument for name, url, events in MLflow's words; kAlreadyExists never (names
  /// need not be unique, as in MLflow).
  virtual Result<Webhook> Create(const NewWebhook& webhook) = 0;
  /// Errors: kNotFound "Webhook with ID x not found."
  virtual Result<Webhook> Get(std::string_view id) = 0;
  /// Without `with_ours`, only those with an event that MLflow's clients know: others they cannot
  /// read. Errors: kInvalidArgument for max_results outside 1 to kWebhookPageMax, or the token.
  virtual Result<WebhookPage> List(int64_t max_results, std::string_view page_token,
                                   bool with_ours = true) = 0;
  virtual Result<Webhook> Update(std::string_view id, const WebhookChange& change) = 0;
  /// Its undelivered rows go with it.
  virtual Status Delete(std::string_view id) = 0;

  /// Sends a sample of `event` (nothing: of the webhook's first) now, past the outbox; waits for
  /// the answer up to the time limit of an attempt. Errors: kNotFound; a failed attempt is none.
  virtual Result<DeliveryAttempt> Test(std::string_view id,
                                       const std::optional<WebhookEvent>& event) = 0;
  /// The newest `count_max` deliveries of a webhook. Errors: kNotFound.
  virtual Result<std::vector<Delivery>> ListDeliveries(std::string_view id, int64_t count_max) = 0;

  // ---- What happens to runs, told in the transaction of the change (tx is of this database).

  /// Whether anybody listens, as of the last Refresh: an atomic.
  virtual bool wants_runs() const = 0;
  virtual bool wants_metrics() const = 0;
  /// Asks the database who listens. Changes made here are known at once, those of other replicas
  /// after this.
  virtual Status Refresh() = 0;
  virtual Status OnRunFinished(sql::Tx& tx, const RunFinished& run) = 0;
  /// Points of one run in any order. A condition fires when a point fulfils it and the one before
  /// (by step, then time) did not; once a call and condition at most. Points no newer than the last
  /// change of a condition are not looked at, so a batch sent again fires nothing.
  virtual Status OnMetrics(sql::Tx& tx, const MetricPoints& points) = 0;
};

/// One request as it goes out. MLflow's headers are in it.
struct OutgoingRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t timeout_ms = 0;
};
/// Sends it. Thread-safe; never logs headers or body. The real one: HttpSender
/// (webhook_delivery.h).
using SendFunction = std::function<DeliveryAttempt(const OutgoingRequest&)>;

/// `db` and `clock` must outlive it. `send` is for Test.
std::unique_ptr<Webhooks> OpenWebhooks(sql::Db& db, WebhookOptions options, SendFunction send,
                                       Clock& clock = SystemClock());

}  // namespace sluice::registry
