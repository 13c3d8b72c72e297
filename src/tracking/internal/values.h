// The bound values of a statement that is put together from parts.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "sql/value.h"

namespace sluice::tracking::internal {

/// Borrows the texts. One thread at a time.
class Values {
 public:
  /// The placeholder: "$1", "$2", ...
  std::string Bind(const sql::Param& value) {
    params_.push_back(value);
    return fmt::format("${}", params_.size());
  }
  /// "$1, $2, $3", for IN (...).
  template <typename List>
  std::string BindAll(const List& list) {
    std::string text;
    for (const auto& value : list) text += (text.empty() ? "" : ", ") + Bind(value);
    return text;
  }
  const std::vector<sql::Param>& params() const { return params_; }

 private:
  std::vector<sql::Param> params_;
};

}  // namespace sluice::tracking::internal
