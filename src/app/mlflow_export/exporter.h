// Writes what a store of ours holds as a database of MLflow 3.17, which `mlflow server` serves.
#pragma once

#include <functional>
#include <string_view>

#include "app/mlflow_import/notes.h"
#include "base/result.h"
#include "sql/db.h"

namespace sluice::app::mlflow_export {

using mlflow_import::Notes;
using OnProgress = std::function<void(std::string_view what, int64_t count)>;

/// `target` is an empty database, SQLite or PostgreSQL; it gets MLflow's schema and all rows. What
/// MLflow has no place for is left out with a note: datasets that runs wrote, webhooks on runs,
/// secrets of webhooks, tokens. Errors: kFailedPrecondition if the target holds tables; those of
/// both databases, naming what did not fit (MLflow's columns are narrower on PostgreSQL). After an
/// error the target is to be thrown away.
Status Export(sql::Db& source, sql::Db& target, const OnProgress& on_progress, Notes& notes);

/// Users, roles and permissions into an empty database of MLflow's basic-auth.
Status ExportAuth(sql::Db& source, sql::Db& target);

}  // namespace sluice::app::mlflow_export
