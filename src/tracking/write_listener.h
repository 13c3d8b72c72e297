// Who wants to know of writes as they happen: webhooks on runs that end and on metrics.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "sql/db.h"
#include "tracking/run.h"

namespace sluice::tracking {

/// Called inside the write transaction, by any thread and again when a transaction is repeated: all
/// an implementation may do is read and write through `tx` (an outbox) and look at its own memory.
/// An error of it fails the write.
class WriteListener {
 public:
  virtual ~WriteListener() = default;

  /// Asked before the others, outside of transactions, so that nobody pays who has no listener.
  /// Must be cheap: an atomic.
  virtual bool wants_run_ends() const = 0;
  virtual bool wants_metrics() const = 0;

  /// The run's status has become FINISHED, FAILED or KILLED and was not an ended one before.
  virtual Status OnRunEnded(sql::Tx& tx, const RunInfo& run) = 0;
  /// Points that a batch logs, also those that were there already.
  virtual Status OnMetrics(sql::Tx& tx, const RunInfo& run, std::span<const Metric> metrics) = 0;
};

}  // namespace sluice::tracking
