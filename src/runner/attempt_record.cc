// The half of the record that the supervisor needs: only `base`. Reading is in
// attempt_record_parse.cc.
#include "runner/attempt_record.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace sluice::runner {
namespace {

constexpr std::array<std::string_view, 6> kReasonNames = {"exited",    "signalled",    "timeout",
                                                          "cancelled", "start_failed", "lost"};

/// A JSON string. Bytes that are not ASCII become '?', so that the file is valid whatever the
/// message holds.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (byte < 0x20) {
      quoted += fmt::format("\\u{:04x}", byte);
    } else {
      quoted.push_back(byte < 0x7f ? c : '?');
    }
  }
  return quoted + "\"";
}

std::string SignalText(int signal) {
  const char* name = strsignal(signal);
  return fmt::format("signal {} ({})", signal, name != nullptr ? name : "unknown");
}

}  // namespace

std::string_view EndReasonName(EndReason reason) {
  return kReasonNames[static_cast<size_t>(reason)];
}

Result<EndReason> ParseEndReason(std::string_view name) {
  for (size_t i = 0; i < kReasonNames.size(); ++i) {
    if (kReasonNames[i] == name) return static_cast<EndReason>(i);
  }
  return DataLoss(fmt::format("'{}' is no reason for an attempt's end", name));
}

std::string AttemptRecord::ToString() const {
  switch (reason) {
    case EndReason::kExited: return fmt::format("exit code {}", exit_code);
    case EndReason::kSignalled: return SignalText(signal);
    case EndReason::kTimeout:
      return fmt::format("stopped after its time limit, having run {:.1f} s",
                         static_cast<double>(end_ms - start_ms) / 1000);
    case EndReason::kCancelled: return "cancelled";
    case EndReason::kStartFailed: return message;
    case EndReason::kLost: return "its supervisor was killed, so that its end is unknown";
  }
  return "";
}

std::string PrintRecord(const AttemptRecord& record) {
  return fmt::format(
      "{{\"version\":1,\"reason\":\"{}\",\"exit_code\":{},\"signal\":{},\"start_ms\":{},\"end_ms\":"
      "{},"
      "\"user_ms\":{},\"system_ms\":{},\"max_rss_bytes\":{},\"stdout_bytes\":{},\"stderr_bytes\":{}"
      ","
      "\"stdout_dropped_bytes\":{},\"stderr_dropped_bytes\":{},\"boot_id\":{},\"message\":{}}}\n",
      EndReasonName(record.reason), record.exit_code, record.signal, record.start_ms, record.end_ms,
      record.user_ms, record.system_ms, record.max_rss_bytes, record.stdout_bytes,
      record.stderr_bytes, record.stdout_dropped_bytes, record.stderr_dropped_bytes,
      Quoted(record.boot_id), Quoted(record.message));
}

}  // namespace sluice::runner
