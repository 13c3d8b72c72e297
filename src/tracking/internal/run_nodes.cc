#include "tracking/internal/run_nodes.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

namespace sluice::tracking::internal {
namespace {

using formats::FilterNode;

/// A probe, in rows of an index that are read one after the other.
constexpr double kProbeCost = 10;

}  // namespace

Result<RunChoice> FindChoice(RunReads& reads, const RunFilterNode& node) {
  RunChoice choice;
  switch (node.kind) {
    case FilterNode::Kind::kCondition: {
      ASSIGN_OR_RETURN(choice.set, reads.FindAll(node.condition));
      return choice;
    }
    case FilterNode::Kind::kNot: {
      ASSIGN_OR_RETURN(choice, FindChoice(reads, node.children.at(0)));
      choice.Negate();
      return choice;
    }
    default: break;
  }
  ASSIGN_OR_RETURN(choice, FindChoice(reads, node.children.at(0)));
  for (size_t i = 1; i < node.children.size(); ++i) {
    ASSIGN_OR_RETURN(RunChoice other, FindChoice(reads, node.children[i]));
    node.kind == FilterNode::Kind::kAnd ? choice.IntersectWith(other) : choice.UniteWith(other);
  }
  return choice;
}

Result<std::optional<std::vector<int64_t>>> FindFewRuns(RunReads& reads, const RunFilterNode& node,
                                                        size_t max_count) {
  using Few = std::optional<std::vector<int64_t>>;
  switch (node.kind) {
    case FilterNode::Kind::kCondition: return reads.FindUpTo(node.condition, max_count);
    case FilterNode::Kind::kNot: return Few();
    case FilterNode::Kind::kAnd:
      for (size_t i = 0; i < node.children.size(); ++i) {
        ASSIGN_OR_RETURN(Few few, FindFewRuns(reads, node.children[i], max_count));
        if (!few) continue;
        for (size_t j = 0; j < node.children.size(); ++j) {
          if (j == i) continue;
          ASSIGN_OR_RETURN(*few, FilterRuns(reads, node.children[j], *few));
        }
        return few;
      }
      return Few();
    case FilterNode::Kind::kOr: break;
  }
  std::vector<int64_t> all;
  for (const RunFilterNode& child : node.children) {
    ASSIGN_OR_RETURN(Few few, FindFewRuns(reads, child, max_count));
    if (!few) return Few();
    all.insert(all.end(), few->begin(), few->end());
  }
  if (all.size() > max_count) return Few();
  return Few(std::move(all));
}

Result<std::vector<int64_t>> FilterRuns(RunReads& reads, const RunFilterNode& node,
                                        std::span<const int64_t> run_nos) {
  std::vector<int64_t> left(run_nos.begin(), run_nos.end());
  switch (node.kind) {
    case FilterNode::Kind::kCondition: return reads.Filter(node.condition, run_nos);
    case FilterNode::Kind::kAnd:
      for (const RunFilterNode& child : node.children) {
        ASSIGN_OR_RETURN(left, FilterRuns(reads, child, left));
      }
      return left;
    case FilterNode::Kind::kNot:
    case FilterNode::Kind::kOr: break;
  }
  std::unordered_set<int64_t> holding;
  for (const RunFilterNode& child : node.children) {
    ASSIGN_OR_RETURN(std::vector<int64_t> of_child, FilterRuns(reads, child, run_nos));
    holding.insert(of_child.begin(), of_child.end());
  }
  const bool is_wanted = node.kind == FilterNode::Kind::kOr;
  std::erase_if(left, [&](int64_t run_no) { return holding.contains(run_no) != is_wanted; });
  return left;
}

std::optional<size_t> ChooseSet(const ProbesAhead& ahead) {
  const std::span<const double> shares = ahead.shares;
  if (shares.empty()) return std::nullopt;
  // With one of them as a set, the others are probed only for what it lets pass.
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  auto probe_count = [&](size_t as_set) {
    double reaching = as_set == kNone ? ahead.rows_ahead : ahead.rows_ahead * shares[as_set];
    double count = 0;
    for (size_t i = 0; i < shares.size(); ++i) {
      if (i == as_set) continue;
      count += reaching;
      reaching *= shares[i];
    }
    return count;
  };
  const double all_probes = probe_count(kNone);
  if (all_probes > static_cast<double>(ahead.probe_budget)) {
    return static_cast<size_t>(std::min_element(shares.begin(), shares.end()) - shares.begin());
  }
  std::optional<size_t> best;
  double best_saving = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    double saving = kProbeCost * (all_probes - probe_count(i)) - shares[i] * ahead.run_count;
    if (saving <= best_saving) continue;
    best = i;
    best_saving = saving;
  }
  return best;
}

}  // namespace sluice::tracking::internal
