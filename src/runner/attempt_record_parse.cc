#include "formats/json.h"
#include "runner/attempt_record.h"

namespace sluice::runner {
namespace {

Result<AttemptRecord> FromJson(const formats::Json& json) {
  AttemptRecord record;
  ASSIGN_OR_RETURN(std::string reason, json.GetString("reason"));
  ASSIGN_OR_RETURN(record.reason, ParseEndReason(reason));
  ASSIGN_OR_RETURN(int64_t exit_code, json.GetInteger("exit_code"));
  ASSIGN_OR_RETURN(int64_t signal, json.GetInteger("signal"));
  record.exit_code = static_cast<int>(exit_code);
  record.signal = static_cast<int>(signal);
  ASSIGN_OR_RETURN(record.start_ms, json.GetInteger("start_ms"));
  ASSIGN_OR_RETURN(record.end_ms, json.GetInteger("end_ms"));
  record.user_ms = json.IntegerOr("user_ms", 0);
  record.system_ms = json.IntegerOr("system_ms", 0);
  record.max_rss_bytes = json.IntegerOr("max_rss_bytes", 0);
  record.stdout_bytes = json.IntegerOr("stdout_bytes", 0);
  record.stderr_bytes = json.IntegerOr("stderr_bytes", 0);
  record.stdout_dropped_bytes = json.IntegerOr("stdout_dropped_bytes", 0);
  record.stderr_dropped_bytes = json.IntegerOr("stderr_dropped_bytes", 0);
  record.boot_id = json.StringOr("boot_id", "");
  record.message = json.StringOr("message", "");
  return record;
}

}  // namespace

Result<AttemptRecord> ParseRecord(std::string_view text) {
  Result<formats::Json> json = formats::ParseJson(text, {.file = "record.json", .max_depth = 4});
  if (!json.ok()) return DataLoss(json.error().message());
  Result<AttemptRecord> record = FromJson(*json);
  if (!record.ok()) return DataLoss("record.json: " + record.error().message());
  return record;
}

}  // namespace sluice::runner
