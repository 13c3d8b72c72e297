// The head of a request: request line and fields, checked strictly. Pure.
//
// The parser is ours, not Beast's, because what it refuses is the point: two programs that read one
// byte stream differently are how requests are smuggled, so every form that some proxy reads in
// another way is an error here (docs/internals/decisions/http-own-head-parser.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace sluice::http::internal {

inline constexpr size_t kFieldCountMax = 100;

/// Why a request is answered without a handler; the connection is closed after it.
struct Refusal {
  int status = 400;
  std::string message;
  std::string error_code = {};  ///< empty: the usual one of the status
};

struct Head {
  std::string method;  ///< a token, as sent
  std::string target;  ///< no control bytes or blanks
  int minor_version = 1;
  Headers headers;
  int64_t content_length = 0;
  bool is_chunked = false;
  bool expects_continue = false;
  bool is_keep_alive = true;
};

/// The length of the head in `bytes`, its final empty line included; 0 if it is not complete.
/// `from` is where the last search ended (0 at first) and is moved on. Lines must end in CR LF: a
/// bare LF gives npos.
size_t FindHeadEnd(std::string_view bytes, size_t& from);

/// `bytes` is a complete head (FindHeadEnd). Fills `head`, or says why not.
std::optional<Refusal> ParseHead(std::string_view bytes, Head& head);

/// The field lines between a first line and the empty one, each with its CR LF. Shared with the
/// client.
std::optional<Refusal> ParseFields(std::string_view lines, Headers& headers);

}  // namespace sluice::http::internal
