// Logged models between rows and structs; all inside a transaction.
#pragma once

#include <span>
#include <string_view>

#include "sql/db.h"
#include "tracking/logged_models.h"

namespace sluice::tracking::internal {

/// The columns that LoggedModelFromRow reads, from 0; the table is `m`.
inline constexpr std::string_view kLoggedModelColumns =
    "m.model_id, m.experiment_id, m.name, m.artifact_uri, m.status, m.status_message, "
    "m.model_type, m.source_run_id, m.stage, m.created_ms, m.updated_ms";
inline constexpr int kLoggedModelColumnCount = 11;
/// Without tags, params and metrics.
LoggedModel LoggedModelFromRow(const sql::Row& row);

/// Tags, params and metrics of all of them: three queries for every thousand models.
Status LoadLoggedModelData(sql::Reader& reader, std::span<LoggedModel> models);

/// The error for a model that is not there.
Error NoLoggedModel(std::string_view model_id);

/// Stores those of a batch's metrics that have a model id as metrics of their logged models; points
/// already there are ignored. Nothing is read or written if none has one. Errors: kNotFound for an
/// unknown or deleted model.
Status LogModelMetricsIn(sql::Tx& tx, std::string_view run_id, std::span<const Metric> metrics);
/// One of them, whose model and run are there.
Status InsertModelMetricIn(sql::Tx& tx, std::string_view run_id, const Metric& metric);

}  // namespace sluice::tracking::internal
