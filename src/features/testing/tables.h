// Small Arrow tables for tests.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::features::testing {

using Column = std::pair<std::string, std::shared_ptr<arrow::Array>>;

Column Doubles(std::string name, const std::vector<std::optional<double>>& values);
Column Integers(std::string name, const std::vector<std::optional<int64_t>>& values);
Column Bools(std::string name, const std::vector<std::optional<bool>>& values);
Column Texts(std::string name, const std::vector<std::optional<std::string>>& values);
Column Dates(std::string name, const std::vector<std::optional<int32_t>>& days);
Column Timestamps(std::string name, const std::vector<std::optional<int64_t>>& micros);

std::shared_ptr<arrow::Table> MakeTable(const std::vector<Column>& columns);

}  // namespace sluice::features::testing
