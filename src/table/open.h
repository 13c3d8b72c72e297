// The short way to a table: what steps use for their inputs.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/canonical.h"

namespace sluice::table {

/// A table in canonical types: from a folder, its data.arrow; from a .arrow file, that file; both
/// are mapped, not read: columns point into the mapping, which lives as long as any of them. From
/// any other file, ReadTable with default options. `columns` picks columns in that order (empty:
/// all). Errors: as ReadTable; kNotFound for a folder without data.arrow; kInvalidArgument for an
/// unknown column (with the nearest name).
Result<std::shared_ptr<arrow::Table>> OpenTable(const std::string& path,
                                                const std::vector<std::string>& columns = {});

/// The named columns, in that order; all for an empty list. Errors: kInvalidArgument naming the
/// unknown column and the nearest name.
Result<std::shared_ptr<arrow::Table>> SelectColumns(const std::shared_ptr<arrow::Table>& table,
                                                    const std::vector<std::string>& columns);

}  // namespace sluice::table
