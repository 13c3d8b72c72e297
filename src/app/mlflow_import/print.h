// A comparison for people and for programs.
#pragma once

#include <string>
#include <string_view>

#include "app/mlflow_import/notes.h"
#include "app/mlflow_import/verify.h"
#include "formats/json.h"

namespace sluice::app::mlflow_import {

formats::Json ComparisonJson(const Comparison& comparison, const Notes& notes);
/// Two tables and the notes; `left` and `right` head the columns.
std::string ComparisonText(const Comparison& comparison, const Notes& notes, std::string_view left,
                           std::string_view right);

/// A database's URI without its password.
std::string ShownUri(const std::string& uri);

}  // namespace sluice::app::mlflow_import
