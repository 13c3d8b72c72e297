// A search asks for the first few runs, in an order, of those that fulfil some conditions. Three
// ways lead there:
//
// * One condition holds for few runs. They are listed, the other conditions are probed for them,
//   the rest is sorted.
// * Many fulfil all. The order's index is walked and the conditions are probed for what comes,
// until
//   enough is found.
// * Neither: each condition holds for many, all of them together for few. Then every condition is
//   read from its index as a set of bits, once; the sets are intersected, and what is left is
//   listed or the order is walked against the bits, which costs next to nothing per run.
//
// Which one it is shows by trying: each condition is asked for its first few runs, then a walk may
// probe some more (RunTuning). So nothing depends on an engine's statistics, and the worst case is
// a scan of the indices concerned. OR and NOT work in all three ways, as union and complement.
//
// An order by several keys is a walk by the first; runs that tie are sorted by the rest, or, where
// very many tie (an order by a param of two values), are a search of their own: the same conditions
// and "the key has this value", ordered by the rest. NaN and missing values are such ties, too.
//
// Source: none; the pieces (bitmap scans, early stop, probing) are those of database engines, which
// choose by statistics what is tried out here.
#include "tracking/internal/run_finder.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <unordered_map>

#include "tracking/internal/run_nodes.h"
#include "tracking/internal/run_stream.h"

namespace sluice::tracking::internal {
namespace {

using formats::Comparator;
using formats::FilterNode;
using Kind = RunField::Kind;
using Test = RunCondition::Test;

constexpr size_t kLastChunk = 16384;

/// One of the conditions that must all hold, and what is known of it.
struct Conjunct {
  RunFilterNode node;
  std::optional<RunChoice> choice;  ///< read as a set
  bool is_large = false;            ///< holds for more than a few
  // Of the probes so far.
  size_t probed_count = 0;
  size_t passed_count = 0;
};
using Conjuncts = std::vector<std::shared_ptr<Conjunct>>;

bool IsSameValue(const OrderValue& a, const OrderValue& b) { return Compare(a, b, true) == 0; }

class RunFinder {
 public:
  RunFinder(RunReads& reads, const RunQuery& query)
      : reads_(reads),
        orders_(query.orders),
        tuning_(query.tuning),
        listed_runs_(tuning_.listed_runs) {}

  Result<std::vector<int64_t>> Run(const RunQuery& query) {
    Conjuncts conjuncts;
    for (const RunFilterNode& node : query.conditions) {
      conjuncts.push_back(std::make_shared<Conjunct>());
      conjuncts.back()->node = node;
    }
    RETURN_IF_ERROR(ReadView(query.view));
    std::vector<int64_t> found;
    RETURN_IF_ERROR(
        Find(conjuncts, 0, query.after ? query.after->data() : nullptr, query.count, found));
    return found;
  }

 private:
  // ---- Conditions

  Status ReadView(ViewType view) {
    if (view == ViewType::kDeletedOnly) {
      ASSIGN_OR_RETURN(visible_.set, reads_.FindByStage(1, 1));
      visible_.is_complement = false;
    } else {
      ASSIGN_OR_RETURN(visible_.set, reads_.FindByStage(view == ViewType::kAll ? 2 : 1, 2));
      visible_.is_complement = true;
    }
    return Ok();
  }

  /// Narrows `run_nos` down to what fulfils all but `known`.
  Result<std::vector<int64_t>> FilterByAll(const Conjuncts& conjuncts, std::vector<int64_t> run_nos,
                                           const Conjunct* known) {
    std::erase_if(run_nos, [&](int64_t run_no) { return !visible_.Contains(run_no); });
    for (const auto& conjunct : conjuncts) {
      if (conjunct.get() == known) continue;
      if (conjunct->choice) {
        std::erase_if(run_nos, [&](int64_t run_no) { return !conjunct->choice->Contains(run_no); });
      } else {
        conjunct->probed_count += run_nos.size();
        ASSIGN_OR_RETURN(run_nos, FilterRuns(reads_, conjunct->node, run_nos));
        conjunct->passed_count += run_nos.size();
      }
    }
    return run_nos;
  }

  /// What the sets known so far leave over; nothing if that is "all but ...".
  std::optional<RunSet> IntersectKnown(const Conjuncts& conjuncts) const {
    std::optional<RunChoice> known;
    if (!visible_.is_complement) known = visible_;
    for (const auto& conjunct : conjuncts) {
      if (!conjunct->choice) continue;
      if (known) {
        known->IntersectWith(*conjunct->choice);
      } else {
        known = conjunct->choice;
      }
    }
    if (!known || known->is_complement) return std::nullopt;
    return std::move(known->set);
  }

  /// A short list that holds all runs that fulfil all conditions, filtered; nothing if none shows.
  Result<std::optional<std::vector<int64_t>>> FindCandidates(const Conjuncts& conjuncts,
                                                             size_t count) {
    using List = std::optional<std::vector<int64_t>>;
    std::optional<RunSet> known = IntersectKnown(conjuncts);
    if (known && known->Count() <= std::max(listed_runs_, count)) {
      ASSIGN_OR_RETURN(std::vector<int64_t> list,
                       FilterByAll(conjuncts, known->Members(), nullptr));
      return List(std::move(list));
    }
    for (const auto& conjunct : conjuncts) {
      if (conjunct->choice || conjunct->is_large) continue;
      ASSIGN_OR_RETURN(List few,
                       FindFewRuns(reads_, conjunct->node, std::max(tuning_.few_runs, count)));
      if (!few) {
        conjunct->is_large = true;
        continue;
      }
      std::sort(few->begin(), few->end());
      few->erase(std::unique(few->begin(), few->end()), few->end());
      ASSIGN_OR_RETURN(std::vector<int64_t> list,
                       FilterByAll(conjuncts, *std::move(few), conjunct.get()));
      return List(std::move(list));
    }
    return List();
  }

  // ---- Orders. Everywhere, `after` points to the values from orders_[level] on of the run behind
  // which to begin, or is null; results are appended to `found`, at most `count` of them.

  Status Find(const Conjuncts& conjuncts, size_t level, const OrderValue* after, size_t count,
              std::vector<int64_t>& found) {
    if (count == 0 || (level == orders_.size() && after != nullptr)) return Ok();
    ASSIGN_OR_RETURN(auto candidates, FindCandidates(conjuncts, count));
    if (candidates) return TakeFirst(*std::move(candidates), level, after, count, found);
    CHECK_MSG(level < orders_.size(), "runs tie in every order, their ids included");
    return WalkFrom(conjuncts, level, after, count, found);
  }

  /// Of a list, the first ones.
  Status TakeFirst(std::vector<int64_t> run_nos, size_t level, const OrderValue* after,
                   size_t count, std::vector<int64_t>& found) {
    std::span<const RunOrder> orders = std::span(orders_).subspan(level);
    ASSIGN_OR_RETURN(auto values, reads_.LoadValues(orders, run_nos));
    std::vector<size_t> places;
    for (size_t i = 0; i < run_nos.size(); ++i) {
      if (after == nullptr || CompareFrom(level, values[i].data(), after) > 0) places.push_back(i);
    }
    size_t taken = std::min(count, places.size());
    std::partial_sort(places.begin(), places.begin() + static_cast<ptrdiff_t>(taken), places.end(),
                      [&](size_t a, size_t b) {
                        return CompareFrom(level, values[a].data(), values[b].data()) < 0;
                      });
    for (size_t i = 0; i < taken; ++i) found.push_back(run_nos[places[i]]);
    return Ok();
  }

  int CompareFrom(size_t level, const OrderValue* a, const OrderValue* b) const {
    for (size_t i = level; i < orders_.size(); ++i, ++a, ++b) {
      int order = Compare(*a, *b, orders_[i].is_ascending);
      if (order != 0) return order;
    }
    return 0;
  }

  /// The runs with a value, those with NaN, those without.
  Status WalkFrom(const Conjuncts& conjuncts, size_t level, const OrderValue* after, size_t count,
                  std::vector<int64_t>& found) {
    const size_t goal = found.size() + count;
    const OrderValue::Rank rank = after == nullptr ? OrderValue::kValue : after->rank;
    const RunField& field = orders_[level].field;
    if (rank == OrderValue::kValue) {
      const size_t before = found.size();
      ASSIGN_OR_RETURN(bool is_restarted, Walk(conjuncts, level, after, count, found));
      if (is_restarted) {
        found.resize(before);
        return Find(conjuncts, level, after, count, found);
      }
    }
    if (found.size() < goal && rank <= OrderValue::kNan && field.kind == Kind::kMetric) {
      const bool goes_on = rank == OrderValue::kNan;
      RETURN_IF_ERROR(Find(With(conjuncts, {.field = field, .test = Test::kIsNan}), level + 1,
                           goes_on ? after + 1 : nullptr, goal - found.size(), found));
    }
    if (found.size() == goal || !MayBeMissing(conjuncts, field)) return Ok();
    // What is absent is told from the set of what is there.
    auto absent = std::make_shared<Conjunct>();
    absent->choice.emplace();
    ASSIGN_OR_RETURN(absent->choice->set, reads_.FindAll({.field = field, .test = Test::kPresent}));
    absent->choice->Negate();
    Conjuncts more = conjuncts;
    more.push_back(std::move(absent));
    const bool goes_on = rank == OrderValue::kMissing;
    return Find(more, level + 1, goes_on ? after + 1 : nullptr, goal - found.size(), found);
  }

  /// A run that lacks the field fulfils no comparison of it.
  static bool MayBeMissing(const Conjuncts& conjuncts, const RunField& field) {
    bool may_lack = field.kind == Kind::kMetric || field.kind == Kind::kParam ||
                    field.kind == Kind::kTag || field.column == "end_ms";
    return may_lack && std::none_of(conjuncts.begin(), conjuncts.end(), [&](const auto& conjunct) {
             return conjunct->node.kind == FilterNode::Kind::kCondition &&
                    conjunct->node.condition.field == field;
           });
  }

  static Conjuncts With(const Conjuncts& conjuncts, RunCondition condition) {
    Conjuncts more = conjuncts;
    more.push_back(std::make_shared<Conjunct>());
    more.back()->node.condition = std::move(condition);
    return more;
  }

  /// "The order's field has this value."
  static RunCondition Equal(const RunField& field, const OrderValue& value) {
    RunCondition condition{.field = field, .comparator = Comparator::kEqual};
    if (field.kind == Kind::kMetric) {
      condition.numbers = {value.number};
    } else if (field.kind == Kind::kTime) {
      condition.integers = {value.integer};
    } else if (field.kind == Kind::kStatus) {
      condition.integers = {static_cast<int64_t>(*FindRunStatus(value.text))};
    } else {
      condition.texts = {value.text};
    }
    return condition;
  }

  /// A run that came along in a walk and fulfils all.
  struct Survivor {
    int64_t run_no = 0;
    size_t group = 0;  ///< of equal values, counted from the walk's beginning
  };

  /// The runs that have a value at orders_[level]. True: nothing counts that was found, but a
  /// condition is known as a small set now, so think again.
  Result<bool> Walk(const Conjuncts& conjuncts, size_t level, const OrderValue* after, size_t count,
                    std::vector<int64_t>& found) {
    const RunOrder& order = orders_[level];
    const size_t goal = found.size() + count;
    std::vector<const RunCondition*> tests;
    Conjuncts others;  // that the stream does not take care of
    for (const auto& conjunct : conjuncts) {
      const RunCondition& condition = conjunct->node.condition;
      bool is_of_field = !conjunct->choice && conjunct->node.kind == FilterNode::Kind::kCondition &&
                         condition.field == order.field;
      if (is_of_field) tests.push_back(&condition);
      if (!is_of_field || !condition.Doubt().empty()) others.push_back(conjunct);
    }
    // What is known as a set costs nothing; then the strictest first, as far as that is known.
    std::stable_sort(others.begin(), others.end(), [](const auto& a, const auto& b) {
      if (a->choice.has_value() != b->choice.has_value()) return a->choice.has_value();
      return a->passed_count * (b->probed_count + 1) < b->passed_count * (a->probed_count + 1);
    });
    std::unique_ptr<RunStream> stream = OpenStream(reads_, order, tests);
    const bool is_total =
        stream->is_total() && level + 2 == orders_.size() && orders_[level + 1].is_ascending;
    // A cut text may tie with others that only the whole texts tell apart.
    const bool is_after_cut = after != nullptr && stream->has_heads_only() && MayBeCut(after->text);
    if (is_after_cut) {
      stream->SeekTo(*after);
    } else if (after != nullptr) {
      if (!is_total) {
        RETURN_IF_ERROR(
            Find(With(conjuncts, Equal(order.field, *after)), level + 1, after + 1, count, found));
        if (found.size() == goal) return false;
      }
      stream->SeekPast(*after, is_total ? &after[1].text : nullptr);
      after = nullptr;
    }

    std::vector<Survivor> survivors;
    size_t group = 0;
    size_t group_begin = 0;      // in survivors
    size_t group_row_count = 0;  // whether they survived or not
    OrderValue group_value{.rank = OrderValue::kMissing};
    size_t row_count = 0;
    size_t survivor_count = 0;
    size_t known_count = CountKnown(conjuncts);
    size_t chunk = std::max(tuning_.first_chunk, count + count / 4);
    for (;;) {
      // The open group may go on, and of the first one some may be before `after`.
      size_t first_count = 0;
      while (is_after_cut && first_count < survivors.size() && survivors[first_count].group == 1)
        ++first_count;
      const size_t sure_count = is_total ? survivors.size() : group_begin;
      if (sure_count >= goal - found.size() + first_count) break;
      ASSIGN_OR_RETURN(std::vector<RunStream::Item> items, stream->Next(chunk));
      if (items.empty()) break;

      std::vector<int64_t> run_nos;
      for (const RunStream::Item& item : items) run_nos.push_back(item.run_no);
      ASSIGN_OR_RETURN(run_nos, FilterByAll(others, std::move(run_nos), nullptr));
      row_count += items.size();
      survivor_count += run_nos.size();
      size_t next = 0;  // in run_nos, which is a part of items in their order
      for (const RunStream::Item& item : items) {
        if (is_total || !IsSameValue(item.value, group_value)) {
          ++group;
          group_begin = survivors.size();
          group_row_count = 0;
          group_value = item.value;
        }
        ++group_row_count;
        if (next == run_nos.size() || run_nos[next] != item.run_no) continue;
        survivors.push_back({item.run_no, group});
        ++next;
      }

      const bool is_cut = stream->has_heads_only() && MayBeCut(group_value.text);
      if (group_row_count > std::max(tuning_.tied_runs, 2 * count) && !is_total && !is_cut &&
          group_begin < goal - found.size() + first_count && level + 1 < orders_.size()) {
        // Very many tie: those before them are done, they are a search of their own.
        survivors.resize(group_begin);
        RETURN_IF_ERROR(TakeSurvivors(std::move(survivors), level, after, *stream, goal, found));
        survivors.clear();
        RETURN_IF_ERROR(Find(With(conjuncts, Equal(order.field, group_value)), level + 1, nullptr,
                             goal - found.size(), found));
        if (found.size() == goal) return false;
        stream->SeekPast(group_value, nullptr);
        group_begin = 0;
        group_row_count = 0;
        continue;
      }

      // How far it is, if it goes on like this.
      const double share =
          (static_cast<double>(survivor_count) + 0.5) / static_cast<double>(row_count);
      const double rows_ahead = static_cast<double>(goal - found.size() + 1) / share;
      if (sure_count < goal - found.size() && group_begin < goal - found.size()) {
        for (;;) {
          ASSIGN_OR_RETURN(Conjunct * best, FindBestSet(others, rows_ahead));
          if (best == nullptr) break;
          ASSIGN_OR_RETURN(best->choice, FindChoice(reads_, best->node));
          known_count = CountKnown(conjuncts);
        }
        // The candidates are few, or they stand so far off that it is cheaper to list them after
        // all. What was walked for nothing cost less than the list will.
        if (known_count <= std::max(listed_runs_, count)) return true;
        if (known_count <= tuning_.listed_late_runs && row_count > 2 * known_count) {
          listed_runs_ = known_count;
          return true;
        }
      }
      const double wanted = std::min(1.2 * rows_ahead, static_cast<double>(kLastChunk));
      chunk = std::max(std::max(tuning_.first_chunk, count), static_cast<size_t>(wanted));
    }
    RETURN_IF_ERROR(TakeSurvivors(std::move(survivors), level, after, *stream, goal, found));
    return false;
  }

  size_t CountKnown(const Conjuncts& conjuncts) const {
    std::optional<RunSet> known = IntersectKnown(conjuncts);
    return known ? known->Count() : std::numeric_limits<size_t>::max();
  }

  /// The condition that is better read as a set before `rows_ahead` more rows are probed, or null.
  Result<Conjunct*> FindBestSet(const Conjuncts& conjuncts, double rows_ahead) {
    std::vector<Conjunct*> probed;
    std::vector<double> shares;
    for (const auto& conjunct : conjuncts) {
      if (conjunct->choice) continue;
      probed.push_back(conjunct.get());
      shares.push_back((static_cast<double>(conjunct->passed_count) + 0.5) /
                       (static_cast<double>(conjunct->probed_count) + 1));
    }
    if (probed.empty()) return nullptr;
    ASSIGN_OR_RETURN(int64_t run_count, reads_.EstimateRunCount());
    std::optional<size_t> best = ChooseSet({.shares = shares,
                                            .rows_ahead = rows_ahead,
                                            .run_count = static_cast<double>(run_count),
                                            .probe_budget = tuning_.probe_budget});
    return best ? probed[*best] : nullptr;
  }

  /// Is it as long as a head, so that texts behind it may differ?
  static bool MayBeCut(std::string_view text) { return text.size() >= kHeadLength; }

  /// Sorts those that tie by the other orders, and appends them.
  Status TakeSurvivors(std::vector<Survivor> survivors, size_t level, const OrderValue* after,
                       const RunStream& stream, size_t goal, std::vector<int64_t>& found) {
    // In a stream of heads the values themselves take part, and the first ones may be before
    // `after`.
    const bool has_heads = stream.has_heads_only();
    const size_t first_level = has_heads ? level : level + 1;
    std::vector<int64_t> tied;
    for (size_t i = 0; i < survivors.size(); ++i) {
      bool ties_back = i > 0 && survivors[i - 1].group == survivors[i].group;
      bool ties_on = i + 1 < survivors.size() && survivors[i + 1].group == survivors[i].group;
      bool is_first_group = has_heads && after != nullptr && survivors[i].group == 1;
      if (ties_back || ties_on || is_first_group) tied.push_back(survivors[i].run_no);
    }
    if (!tied.empty()) {
      std::span<const RunOrder> orders = std::span(orders_).subspan(first_level);
      ASSIGN_OR_RETURN(auto loaded, reads_.LoadValues(orders, tied));
      std::unordered_map<int64_t, const OrderValue*> values;
      for (size_t i = 0; i < tied.size(); ++i) values.emplace(tied[i], loaded[i].data());
      if (has_heads && after != nullptr) {
        std::erase_if(survivors, [&](const Survivor& survivor) {
          return survivor.group == 1 && CompareFrom(level, values.at(survivor.run_no), after) <= 0;
        });
      }
      std::stable_sort(
          survivors.begin(), survivors.end(), [&](const Survivor& a, const Survivor& b) {
            if (a.group != b.group) return a.group < b.group;
            return CompareFrom(first_level, values.at(a.run_no), values.at(b.run_no)) < 0;
          });
    }
    for (size_t i = 0; i < survivors.size() && found.size() < goal; ++i)
      found.push_back(survivors[i].run_no);
    return Ok();
  }

  RunReads& reads_;
  const std::vector<RunOrder>& orders_;
  const RunTuning tuning_;
  size_t listed_runs_;  ///< grows when a walk found that a longer list is the lesser evil
  RunChoice visible_;
};

}  // namespace

Result<std::vector<int64_t>> FindRuns(RunReads& reads, const RunQuery& query) {
  return RunFinder(reads, query).Run(query);
}

std::vector<int64_t> StagesOf(ViewType view) {
  switch (view) {
    case ViewType::kActiveOnly: return {0};
    case ViewType::kDeletedOnly: return {1};
    case ViewType::kAll: break;
  }
  return {0, 1};
}

}  // namespace sluice::tracking::internal
