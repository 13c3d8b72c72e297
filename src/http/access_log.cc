#include "http/access_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/log.h"
#include "base/periodic.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "http/internal/text.h"
#include "http/ranges.h"
#include "io/fs.h"

namespace sluice::http {
namespace {

constexpr size_t kWaitingBytesMax = 4 << 20;
constexpr std::chrono::milliseconds kFlushInterval{200};

/// As Apache does it: quotes, backslashes, control bytes and what is not UTF-8 as \xHH.
std::string EscapeCommon(std::string_view text) {
  const bool is_utf8 = IsUtf8(text);
  std::string out;
  for (char c : text) {
    const bool is_plain = c != '"' && c != '\\' && c != '\t' && !internal::IsControl(c) &&
                          (is_utf8 || static_cast<unsigned char>(c) < 0x80);
    if (is_plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out.empty() ? "-" : out;
}

/// The address without the port.
std::string_view HostOf(std::string_view peer) {
  std::string_view host = peer.substr(0, peer.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

std::string CommonLine(const ServerOptions::Access& access, int64_t time_ms) {
  // "Sun, 06 Nov 1994 08:49:37 GMT" has all parts of "06/Nov/1994:08:49:37 +0000".
  const std::string date = PrintHttpDate(time_ms / 1000);
  return fmt::format("{} - - [{}/{}/{}:{} +0000] \"{} {} HTTP/1.{}\" {} {} \"-\" \"{}\"\n",
                     HostOf(access.peer), date.substr(5, 2), date.substr(8, 3), date.substr(12, 4),
                     date.substr(17, 8), EscapeCommon(access.method), EscapeCommon(access.path),
                     access.minor_version, access.status, access.body_bytes,
                     EscapeCommon(access.user_agent));
}

/// Fields from the wire may be no UTF-8, and JSON must be.
std::string JsonText(std::string_view text) {
  return IsUtf8(text) ? std::string(text) : EscapeCommon(text);
}

std::string JsonLine(const ServerOptions::Access& access, int64_t time_ms) {
  using formats::Json;
  const Json line =
      Json::MakeObject({{"time", FormatUtc(time_ms, true)},
                        {"request_id", access.request_id},
                        {"peer", access.peer},
                        {"method", JsonText(access.method)},
                        {"path", JsonText(access.path)},
                        {"route", access.route_name},
                        {"status", access.status},
                        {"request_bytes", access.request_bytes},
                        {"bytes", access.body_bytes},
                        {"duration_ms", static_cast<double>(access.duration_ns / 1000) / 1e3},
                        {"is_complete", access.is_complete},
                        {"user_agent", JsonText(access.user_agent)}});
  return formats::PrintJson(line) + "\n";
}

/// Standard error, which has no path.
class StandardError final : public io::WritableFile {
 public:
  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = write(STDERR_FILENO, bytes.data(), bytes.size());
      if (count < 0) return io::ErrnoError(errno, "write", "standard error");
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return Ok();
  }
  Status Sync() override { return Ok(); }
  Status Close() override { return Ok(); }
};

}  // namespace

std::string AccessLine(const ServerOptions::Access& access, AccessLogFormat format,
                       int64_t time_ms) {
  return format == AccessLogFormat::kJson ? JsonLine(access, time_ms) : CommonLine(access, time_ms);
}

class AccessLog::Impl {
 public:
  Impl(std::unique_ptr<io::WritableFile> file, AccessLogFormat format)
      : file_(std::move(file)), format_(format) {
    writer_ = std::make_unique<Periodic>("access-log", kFlushInterval, [this] { Flush(); });
  }
  ~Impl() {
    writer_.reset();
    Flush();
  }

  void Write(const ServerOptions::Access& access) {
    const std::string line = AccessLine(access, format_, SystemClock().NowMs());
    waiting_.With([&](Waiting& waiting) {
      if (waiting.lines.size() + line.size() > kWaitingBytesMax) {
        ++waiting.dropped_count;
      } else {
        waiting.lines += line;
      }
    });
  }

 private:
  struct Waiting {
    std::string lines;
    int64_t dropped_count = 0;
  };

  void Flush() {
    const Waiting taken =
        waiting_.With([](Waiting& waiting) { return std::exchange(waiting, Waiting()); });
    if (taken.dropped_count > 0) {
      Log(LogLevel::kWarning, "access log: {} lines dropped, writing is too slow",
          taken.dropped_count);
    }
    if (taken.lines.empty()) return;
    Status status = file_->Append(taken.lines);
    if (status.ok()) status = file_->Flush();
    if (!status.ok()) Log(LogLevel::kWarning, "access log: {}", status.error().message());
  }

  const std::unique_ptr<io::WritableFile> file_;
  const AccessLogFormat format_;
  Guarded<Waiting> waiting_;
  std::unique_ptr<Periodic> writer_;
};

AccessLog::AccessLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AccessLog::~AccessLog() = default;

Result<std::unique_ptr<AccessLog>> AccessLog::Open(const std::string& path,
                                                   AccessLogFormat format) {
  std::unique_ptr<io::WritableFile> file = std::make_unique<StandardError>();
  if (!path.empty()) {
    ASSIGN_OR_RETURN(file, io::RealFs().OpenForAppend(path));
  }
  return std::unique_ptr<AccessLog>(new AccessLog(std::make_unique<Impl>(std::move(file), format)));
}

void AccessLog::Write(const ServerOptions::Access& access) { impl_->Write(access); }

}  // namespace sluice::http
