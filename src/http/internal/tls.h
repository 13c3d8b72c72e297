// The server's certificate and key, ready for handshakes.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace sluice::http::internal {

struct SslContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
struct SslDeleter {
  void operator()(ssl_st* ssl) const;
};
using SslContext = std::unique_ptr<ssl_ctx_st, SslContextDeleter>;
using Ssl = std::unique_ptr<ssl_st, SslDeleter>;

/// TLS 1.2 and up, no renegotiation, no compression, ALPN "http/1.1". The context is thread-safe
/// from here on.
/// Errors: kNotFound and kPermissionDenied for files that cannot be read, kInvalidArgument for
/// files that hold no PEM or that do not belong together; all name the file.
Result<SslContext> LoadServerTls(const std::string& certificate_file, const std::string& key_file);

}  // namespace sluice::http::internal
