#include "table/internal/arrow_status.h"

#include <fmt/format.h>

namespace sluice::table::internal {

Error FromArrow(const arrow::Status& status, std::string_view context) {
  std::string message = fmt::format("{}: {}", context, status.message());
  if (status.IsOutOfMemory() || status.IsCapacityError())
    return ResourceExhausted(std::move(message));
  if (status.IsInvalid() || status.IsIOError() || status.IsSerializationError())
    return DataLoss(std::move(message));
  if (status.IsNotImplemented() || status.IsTypeError()) return InvalidArgument(std::move(message));
  return Internal(std::move(message));
}

}  // namespace sluice::table::internal
