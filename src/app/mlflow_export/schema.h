// MLflow's schema, from schema/*.sql (tools/mlflow_schema makes them).
#pragma once

#include <string_view>

#include "base/result.h"
#include "sql/db.h"

namespace sluice::app::mlflow_export {

/// Makes the tables in an empty database; `prefix` is "" or "auth_". Errors: kFailedPrecondition if
/// it is not empty.
Status MakeSchema(sql::Db& target, std::string_view prefix);

/// MLflow numbers what comes next by itself: from the greatest number of the column on.
Status SetNextNumber(sql::Db& target, std::string_view table, std::string_view column);

}  // namespace sluice::app::mlflow_export
