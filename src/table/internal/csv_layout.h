// What must be known of a CSV file before its rows: delimiter, line end, names, where the data
// begins.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/internal/csv_tokenizer.h"
#include "table/read_options.h"

namespace sluice::table::internal {

struct CsvLayout {
  CsvSyntax syntax;
  std::vector<std::string> names;
  size_t data_begin = 0;  ///< offset of the first row behind the header
};

/// Looks at the beginning of `text`. Pure.
/// Errors: kInvalidArgument with the line: no header, a name twice, a given number of names that
/// the header does not have, a quote open to the end, options that contradict each other;
/// kResourceExhausted: too many columns.
Result<CsvLayout> FindCsvLayout(std::string_view text, const std::string& path,
                                const CsvOptions& options, const ReadLimits& limits);

}  // namespace sluice::table::internal
