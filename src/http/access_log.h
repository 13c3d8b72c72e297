// One line per answered request.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/server.h"

namespace sluice::http {

enum class AccessLogFormat : uint8_t {
  kJson,    ///< one object: time, request_id, peer, method, path, route, status, bytes, duration_ms
  kCommon,  ///< the "combined" format of Apache and nginx, with "-" for the user
};

/// The line for one request, with its line break. Never the query, which may hold secrets, nor any
/// credentials: Access has neither. Control bytes and quotes of the client's are escaped. Pure.
std::string AccessLine(const ServerOptions::Access& access, AccessLogFormat format,
                       int64_t time_ms);

/// Collects lines and writes them a few times a second from a thread of its own, so that a slow
/// disc or pipe never holds up a loop; if it falls more than a few MiB behind, lines are dropped
/// and counted in a line of the program's log. Thread-safe. The destructor writes what is left.
class AccessLog {
 public:
  /// Appends to `path`; empty is standard error. Errors: as io::Fs::OpenForAppend.
  static Result<std::unique_ptr<AccessLog>> Open(const std::string& path, AccessLogFormat format);
  ~AccessLog();

  void Write(const ServerOptions::Access& access);

 private:
  class Impl;
  explicit AccessLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::http
