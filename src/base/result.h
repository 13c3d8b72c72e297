// Errors as values. Every function of ours that can fail for a reason outside the program returns a
// Result<T> (or a Status, which is Result<void>); exceptions never cross one of our headers.
// All types here are plain values: thread-safe as an int is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace sluice {

/// What kind of failure it is. The set is closed: callers branch on it, and the REST layer maps it
/// to wire codes in one place. Never recognise an error by its text.
enum class ErrorCode : uint8_t {
  kInvalidArgument,     ///< the input is wrong in itself; trying again is useless
  kNotFound,            ///< the named thing does not exist
  kAlreadyExists,       ///< the name is taken
  kFailedPrecondition,  ///< the input is fine, the state is not (deleted, not ready, gate failed)
  kPermissionDenied,    ///< the caller may not
  kResourceExhausted,   ///< a named limit, a full disk or queue
  kUnavailable,         ///< may work later: lock held, server away
  kCancelled,           ///< somebody asked to stop
  kDataLoss,            ///< stored bytes are not what was stored
  kInternal,            ///< a bug of ours or of a library
};

/// "invalid argument", "not found", ...
std::string_view ErrorCodeName(ErrorCode code);

/// A place in text that a person wrote. Lines and columns count from 1, columns in bytes; 0 is
/// unknown.
struct Source {
  std::string file;
  int line = 0;
  int column = 0;
  /// The line itself, so that a caret can be put under the column; may be empty.
  std::string text;

  friend bool operator==(const Source&, const Source&) = default;
};

/// A failure: code, message for whoever called, and optionally the place in the user's text.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::optional<Source>& source() const { return source_; }

  /// Puts context in front, outermost first: "load pipeline 'x': no such file".
  Error With(std::string_view context) &&;
  /// Names the place; keeps an earlier, more exact one.
  Error At(Source source) &&;

  /// What a person reads: "file:line:column: message", then the line and a caret when they are
  /// known.
  std::string ToString() const;

 private:
  ErrorCode code_;
  std::string message_;
  std::optional<Source> source_;
};

Error InvalidArgument(std::string message);
Error NotFound(std::string message);
Error AlreadyExists(std::string message);
Error FailedPrecondition(std::string message);
Error PermissionDenied(std::string message);
Error ResourceExhausted(std::string message);
Error Unavailable(std::string message);
Error Cancelled(std::string message);
Error DataLoss(std::string message);
Error Internal(std::string message);

/// A T or an Error. Reading the value of a failed result is a bug and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design
  template <typename U = T>
  requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  const T& value() const& {
    CHECK_MSG(ok(), error().message());
    return std::get<0>(state_);
  }
  T& value() & {
    CHECK_MSG(ok(), error().message());
    return std::get<0>(state_);
  }
  /// By value, so that `for (auto& x : store.List().value())` holds what it walks.
  T value() && {
    CHECK_MSG(ok(), error().message());
    return std::get<0>(std::move(state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_.has_value(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;
inline Status Ok() { return {}; }

}  // namespace sluice

/// Returns the error of `expression` (a Status or Result) from the enclosing function, if it has
/// one.
#define RETURN_IF_ERROR(expression)                               \
  do {                                                            \
    if (auto sluice_status = (expression); !sluice_status.ok()) { \
      return std::move(sluice_status).error();                    \
    }                                                             \
  } while (false)

#define SLUICE_CONCAT_INNER(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_INNER(a, b)
#define SLUICE_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                    \
  if (!result.ok()) return std::move(result).error();            \
  declaration = std::move(result).value()

/// ASSIGN_OR_RETURN(auto run, store.GetRun(id)); declares or assigns, or returns the error. Two
/// statements: not for the body of an `if` without braces. The declaration must have no comma
/// outside parentheses.
#define ASSIGN_OR_RETURN(declaration, ...) \
  SLUICE_ASSIGN_OR_RETURN(SLUICE_CONCAT(sluice_result_, __LINE__), declaration, (__VA_ARGS__))
