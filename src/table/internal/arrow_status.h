// Arrow's errors as ours.
#pragma once

#include <arrow/status.h>

#include <string_view>

#include "base/result.h"

namespace sluice::table::internal {

/// The error of a failed Arrow call: "<context>: <Arrow's message>", kDataLoss for what Arrow calls
/// invalid or I/O while reading, kResourceExhausted out of memory, else kInternal.
Error FromArrow(const arrow::Status& status, std::string_view context);

}  // namespace sluice::table::internal

/// ARROW_ASSIGN(auto x, arrow_call(), "read 'f'"): as ASSIGN_OR_RETURN for an arrow::Result.
#define SLUICE_ARROW_ASSIGN(result, declaration, context, ...)                             \
  auto result = (__VA_ARGS__);                                                             \
  if (!result.ok()) return ::sluice::table::internal::FromArrow(result.status(), context); \
  declaration = std::move(result).ValueUnsafe()
#define ARROW_ASSIGN(declaration, context, ...) \
  SLUICE_ARROW_ASSIGN(SLUICE_CONCAT(sluice_arrow_, __LINE__), declaration, context, __VA_ARGS__)

#define ARROW_RETURN_IF_ERROR(context, ...)                                               \
  do {                                                                                    \
    if (::arrow::Status sluice_arrow_status = (__VA_ARGS__); !sluice_arrow_status.ok()) { \
      return ::sluice::table::internal::FromArrow(sluice_arrow_status, context);          \
    }                                                                                     \
  } while (false)
