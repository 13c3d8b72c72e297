// Who comes next in an order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tracking/internal/run_reads.h"

namespace sluice::tracking::internal {

/// Runs by one field, one after the other in the field's order. Runs without a number or text there
/// do not come; runs of stages that are not shown may.
class RunStream {
 public:
  struct Item {
    int64_t run_no = 0;
    OrderValue value;
    std::string run_id;  ///< in an order by start time
  };
  virtual ~RunStream() = default;
  /// Texts come as their heads (kHeadLength), which may tie where the texts do not.
  virtual bool has_heads_only() const = 0;
  /// Equal values come by run id: the order is complete.
  virtual bool is_total() const = 0;
  /// The next ones, about `count` of them; none: it is over.
  virtual Result<std::vector<Item>> Next(size_t count) = 0;
  /// Goes on behind all runs of this value (in a stream of heads: of its head); with `run_id`, only
  /// if is_total, behind this run.
  virtual void SeekPast(const OrderValue& value, const std::string* run_id) = 0;
  /// Goes on with the first run of this value (of its head).
  virtual void SeekTo(const OrderValue& value) = 0;
};

/// `tests` are conditions on the same field, which the stream applies by itself as far as an index
/// can. An index is walked where there is one and the experiments are few; otherwise all values are
/// collected and sorted. Both must outlive the stream.
std::unique_ptr<RunStream> OpenStream(RunReads& reads, const RunOrder& order,
                                      std::span<const RunCondition* const> tests);

}  // namespace sluice::tracking::internal
