#include <fmt/format.h>

#include "data/internal/checks/check_kind.h"

namespace sluice::data::internal {

Finding MakeFinding(std::string_view check, Severity severity, std::string column, FailingRows rows,
                    int64_t row_count, std::string_view what) {
  Finding finding;
  finding.check = check;
  finding.severity = severity;
  finding.column = std::move(column);
  finding.failing_row_count = rows.count;
  finding.message = std::string(what);
  if (rows.count > 0) {
    double share = 100 * static_cast<double>(rows.count) / static_cast<double>(row_count);
    finding.message += fmt::format(" in {} of {} rows ({:.3g}%)", rows.count, row_count, share);
    if (!rows.samples.empty()) {
      finding.message += fmt::format(", first in row {}: '{}'", rows.samples.front().row,
                                     rows.samples.front().value);
    }
  }
  finding.samples = std::move(rows.samples);
  return finding;
}

}  // namespace sluice::data::internal
