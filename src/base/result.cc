#include "base/result.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice {

namespace {

constexpr size_t kShownLineBytes = 120;  // longer lines are cut around the caret

/// The line with tabs as blanks, cut to kShownLineBytes around `column`, and a caret under it.
std::string LineWithCaret(const Source& source) {
  std::string line = source.text;
  for (char& c : line) {
    if (c == '\t' || c == '\r' || static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  size_t caret = static_cast<size_t>(std::max(source.column, 1) - 1);
  caret = std::min(caret, line.size());
  size_t begin = caret > kShownLineBytes * 2 / 3 ? caret - kShownLineBytes * 2 / 3 : 0;
  // Do not begin or end inside a UTF-8 sequence.
  while (begin > 0 && (static_cast<unsigned char>(line[begin]) & 0xC0) == 0x80) --begin;
  size_t end = std::min(line.size(), begin + kShownLineBytes);
  while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) ++end;
  std::string shown = line.substr(begin, end - begin);
  if (begin > 0) shown.insert(0, "...");
  if (end < line.size()) shown += "...";
  size_t indent = begin > 0 ? 3 : 0;
  for (size_t i = begin; i < caret; ++i) {
    if ((static_cast<unsigned char>(line[i]) & 0xC0) != 0x80) ++indent;
  }
  return fmt::format("    {}\n    {}^", shown, std::string(indent, ' '));
}

}  // namespace

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid argument";
    case ErrorCode::kNotFound: return "not found";
    case ErrorCode::kAlreadyExists: return "already exists";
    case ErrorCode::kFailedPrecondition: return "failed precondition";
    case ErrorCode::kPermissionDenied: return "permission denied";
    case ErrorCode::kResourceExhausted: return "resource exhausted";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kDataLoss: return "data loss";
    case ErrorCode::kInternal: return "internal error";
  }
  return "unknown error";
}

Error Error::With(std::string_view context) && {
  message_ = fmt::format("{}: {}", context, message_);
  return std::move(*this);
}

Error Error::At(Source source) && {
  if (!source_) source_ = std::move(source);
  return std::move(*this);
}

std::string Error::ToString() const {
  if (!source_) return message_;
  std::string text = source_->file;
  if (source_->line > 0) {
    text += fmt::format(":{}", source_->line);
    if (source_->column > 0) text += fmt::format(":{}", source_->column);
  }
  text += fmt::format(": {}", message_);
  if (!source_->text.empty() && source_->column > 0) text += "\n" + LineWithCaret(*source_);
  return text;
}

Error InvalidArgument(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}
Error NotFound(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
Error AlreadyExists(std::string message) { return {ErrorCode::kAlreadyExists, std::move(message)}; }
Error FailedPrecondition(std::string message) {
  return {ErrorCode::kFailedPrecondition, std::move(message)};
}
Error PermissionDenied(std::string message) {
  return {ErrorCode::kPermissionDenied, std::move(message)};
}
Error ResourceExhausted(std::string message) {
  return {ErrorCode::kResourceExhausted, std::move(message)};
}
Error Unavailable(std::string message) { return {ErrorCode::kUnavailable, std::move(message)}; }
Error Cancelled(std::string message) { return {ErrorCode::kCancelled, std::move(message)}; }
Error DataLoss(std::string message) { return {ErrorCode::kDataLoss, std::move(message)}; }
Error Internal(std::string message) { return {ErrorCode::kInternal, std::move(message)}; }

}  // namespace sluice
