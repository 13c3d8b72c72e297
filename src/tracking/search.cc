#include "tracking/search.h"

#include <fmt/format.h>

#include <algorithm>

#include "tracking/internal/page_token.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/run_filter.h"
#include "tracking/internal/run_finder.h"
#include "tracking/internal/run_reads.h"
#include "tracking/internal/run_rows.h"

namespace sluice::tracking {
namespace {

using internal::OrderValue;
using sql::Reader;

/// What a page token is bound to; its parts cannot run into each other.
std::string Describe(const RunSearch& request, std::span<const int64_t> experiment_ids) {
  std::string text =
      fmt::format("{};{};{}{}", static_cast<int>(request.view),
                  internal::NumberList(experiment_ids), request.filter.size(), request.filter);
  for (const std::string& clause : request.order_by)
    text += fmt::format(";{}:{}", clause.size(), clause);
  return text;
}

}  // namespace

Result<RunPage> Search::Runs(const RunSearch& request) const {
  RETURN_IF_ERROR(internal::CheckPageSize(request.max_count));
  std::vector<int64_t> experiment_ids;
  for (const std::string& text : request.experiment_ids) {
    ASSIGN_OR_RETURN(int64_t id, internal::ParseExperimentId(text));
    experiment_ids.push_back(id);
  }
  std::sort(experiment_ids.begin(), experiment_ids.end());
  experiment_ids.erase(std::unique(experiment_ids.begin(), experiment_ids.end()),
                       experiment_ids.end());
  const std::string description = Describe(request, experiment_ids);

  return db_.Read([&](Reader& reader) -> Result<RunPage> {
    internal::RunQuery query{.view = request.view,
                             .count = static_cast<size_t>(request.max_count) + 1};
    ASSIGN_OR_RETURN(query.conditions,
                     internal::CompileRunFilter(reader, request.filter, experiment_ids));
    ASSIGN_OR_RETURN(query.orders,
                     internal::CompileRunOrders(reader, request.order_by, experiment_ids));
    if (!request.page_token.empty()) {
      ASSIGN_OR_RETURN(query.after, internal::ParsePageToken(description, request.page_token,
                                                             query.orders.size()));
    }
    RunPage page;
    if (experiment_ids.empty()) return page;
    internal::RunReads reads(reader, experiment_ids, internal::StagesOf(request.view));
    ASSIGN_OR_RETURN(std::vector<int64_t> run_nos, internal::FindRuns(reads, query));
    // One more than asked for tells that there is a next page.
    if (run_nos.size() == query.count) {
      run_nos.pop_back();
      ASSIGN_OR_RETURN(auto last, reads.LoadValues(query.orders, {&run_nos.back(), 1}));
      page.next_token = internal::PrintPageToken(description, last.at(0));
    }
    ASSIGN_OR_RETURN(std::vector<internal::RunRow> rows, internal::ListRunRows(reader, run_nos));
    ASSIGN_OR_RETURN(page.runs, internal::LoadRuns(reader, std::move(rows)));
    return page;
  });
}

}  // namespace sluice::tracking
