// Tables as outputs of steps: a folder with data.arrow and what describes it.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace sluice::app {

/// Makes `folder` with data.arrow. Errors: those of table::WriteIpc and io::Fs.
Status WriteTableOutput(const arrow::Table& table, const std::string& folder);

/// The output is the input: hard links of the files of `input_path` when it is such a folder (equal
/// bytes, equal digest), else the table written anew.
Status PassTableOn(const std::string& input_path, const arrow::Table& table,
                   const std::string& folder);

/// The column as text for each row, nothing for a null: for slices and groups. Errors:
/// kInvalidArgument for an unknown column (with the nearest name).
Result<std::shared_ptr<arrow::ChunkedArray>> FindColumn(const arrow::Table& table,
                                                        const std::string& column);

}  // namespace sluice::app
