// One libcurl transfer at a time, with the connection it leaves behind for the next.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/fetch.h"

namespace sluice::http::internal {

/// "https", "example.com", "443"; the only parts of a URL that go into messages.
struct Origin {
  std::string scheme;
  std::string host;
  std::string port;
  std::string Print() const { return scheme + "://" + host + ":" + port; }
};
/// Errors: kInvalidArgument for what is no http or https URL.
Result<Origin> ParseOrigin(const std::string& url);

/// Driven by whoever calls, one thread at a time: nothing happens between the calls.
class FetchSession {
 public:
  FetchSession();
  ~FetchSession();
  FetchSession(const FetchSession&) = delete;
  FetchSession& operator=(const FetchSession&) = delete;

  /// Begins a transfer and drives it until the answer's head is there. `request` must outlive it
  /// until the head is there, and its body until the end. `is_limited_to_head`: timeout_ms ends
  /// there, too.
  Status Start(const FetchRequest& request, const FetcherOptions& options, const Origin& origin,
               bool is_limited_to_head);
  int status() const { return status_; }
  Headers& headers() { return headers_; }
  std::optional<int64_t> size_bytes() const { return size_bytes_; }
  /// As BodySource::Read.
  Result<size_t> Read(std::span<char> into);
  /// Ends the transfer, complete or not; the session may be used again.
  void Finish();

  const std::string& origin() const { return origin_; }

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnData(char* data, size_t size, size_t count, void* self);
  static size_t OnSend(char* into, size_t size, size_t count, void* self);
  static int OnSeek(void* self, curl_off_t offset, int whence);
  static curl_socket_t OnSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnConnected(void* self, char* address, char* local_address, int port, int local_port);

  Status SetOptions(const FetchRequest& request, const FetcherOptions& options);
  Status SetHeaders(const FetchRequest& request);
  void SetBody(const FetchRequest& request);
  template <typename Condition>
  Status DriveUntil(Condition is_enough);
  Status Step();
  Error FailureOf(CURLcode code) const;
  Status Approve(const sockaddr* address);

  CURL* easy_;
  CURLM* multi_;
  curl_slist* fields_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> reason_{};

  std::string origin_;
  const FetchRequest* request_ = nullptr;  ///< until the head is there
  std::string_view body_;
  size_t body_sent_ = 0;
  BodySource* body_source_ = nullptr;
  std::function<Status(const std::string&, uint16_t)> approve_address_;
  int64_t deadline_ns_ = 0;  ///< 0: none
  int64_t timeout_ms_ = 0;
  int64_t stall_timeout_ns_ = 0;
  int64_t moved_bytes_ = 0;  ///< either way

  int status_ = 0;
  Headers headers_;
  std::optional<int64_t> size_bytes_;
  bool has_head_ = false;
  bool is_done_ = false;
  bool is_paused_ = false;
  std::string received_;  ///< of the body, from received_used_ on not yet read
  size_t received_used_ = 0;
  std::optional<Error> callback_error_;
  std::optional<Error> error_;
};

}  // namespace sluice::http::internal
