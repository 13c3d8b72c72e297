// Lower case for comparisons that do not mind it, equal on every engine and in every locale.
#pragma once

#include <string>
#include <string_view>

namespace sluice::sql {

/// Each character replaced by its simple lower case (Unicode 14: those of one character; 'İ' and
/// the like, whose lower case is two, stay). Bytes that are no UTF-8 stay. What the SQL function
/// fold_case does on both engines. Pure.
std::string FoldCase(std::string_view text);

/// The statement that makes the function on PostgreSQL. Pure.
std::string PostgresFoldCaseFunction();

}  // namespace sluice::sql
