#include "http/internal/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>

#include "io/fs.h"

namespace sluice::http::internal {
namespace {

constexpr size_t kReadAheadBytes = 64 << 10;

/// What OpenSSL says about its last failure; its queue is empty afterwards.
std::string LastReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason ? reason : "unknown reason";
}

/// OpenSSL's errors for files are poor: ask the file system first.
Status CheckReadable(const std::string& path, std::string_view what) {
  const Result<std::string> bytes = io::RealFs().ReadFile(path, 1 << 20);
  if (bytes.ok()) return Ok();
  return Error(bytes.error()).With("TLS " + std::string(what));
}

/// The client's list holds "\x08http/1.1", or does not: then no protocol is agreed on by name,
/// which every client takes for HTTP/1.1.
int SelectProtocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                   const unsigned char* offered, unsigned int offered_length, void* /*argument*/) {
  constexpr std::string_view kProtocol = "http/1.1";
  for (unsigned int at = 0; at < offered_length;) {
    const unsigned int length = offered[at];
    if (at + 1 + length > offered_length) break;
    if (std::string_view(reinterpret_cast<const char*>(offered) + at + 1, length) == kProtocol) {
      *out = offered + at + 1;
      *out_length = static_cast<unsigned char>(length);
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + length;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

void SslContextDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void SslDeleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Result<SslContext> LoadServerTls(const std::string& certificate_file, const std::string& key_file) {
  if (certificate_file.empty() || key_file.empty()) {
    return InvalidArgument("TLS needs both a certificate file and a key file; " +
                           std::string(key_file.empty() ? "the key" : "the certificate") +
                           " is missing");
  }
  RETURN_IF_ERROR(CheckReadable(certificate_file, "certificate"));
  RETURN_IF_ERROR(CheckReadable(key_file, "key"));
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return Internal("TLS: " + LastReason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A reply continues where the kernel's buffer was full, perhaps from another address; buffers of
  // idle connections go back.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // With SSL_set_read_ahead: several records in one system call.
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAheadBytes);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  constexpr unsigned char kSessionContext[] = "sluice";
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext - 1);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return InvalidArgument("TLS certificate '" + certificate_file + "': " + LastReason() +
                           "; it must be PEM, the server's own certificate first");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return InvalidArgument("TLS key '" + key_file + "': " + LastReason() +
                           "; it must be the PEM key, without a pass phrase, of '" +
                           certificate_file + "'");
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return InvalidArgument("TLS key '" + key_file + "' does not belong to the certificate '" +
                           certificate_file + "': " + LastReason());
  }
  return context;
}

}  // namespace sluice::http::internal
