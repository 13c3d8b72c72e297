// Migrations are one text for every engine; here is what each makes of it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace sluice::sql::internal {

/// Turns the comments /*engine ... */ into code.
std::string ScriptFor(std::string_view engine, std::string_view text);

/// In statements that begin with CREATE TABLE or ALTER TABLE, makes each type TEXT a
/// TEXT COLLATE "C", so that text sorts by its bytes whatever the database's locale. Comments,
/// quoted text and CAST(x AS TEXT) stay.
std::string WithBytewiseText(std::string_view script);

}  // namespace sluice::sql::internal
