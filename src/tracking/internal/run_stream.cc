#include "tracking/internal/run_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "tracking/internal/rules.h"

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Row;
using Kind = RunField::Kind;

/// More cursors would each read some rows for nothing.
constexpr size_t kCursorMax = 32;

/// How an index is walked for a field; nothing where there is none.
struct Walk {
  std::string_view column;  ///< of the value
  std::string_view tie;     ///< the next column of the index
  std::string_view fixed;   ///< what is true of all rows in that part of the index
};
std::optional<Walk> FindWalk(const RunField& field) {
  switch (field.kind) {
    case Kind::kMetric:
      if (field.column != "value") return std::nullopt;
      return Walk{"value", "run_no", " AND is_nan = 0"};
    case Kind::kParam:
    case Kind::kTag: return Walk{"value_head", "run_no", ""};
    case Kind::kTime:
      if (field.column == "end_ms") return Walk{"end_ms", "run_no", " AND end_ms IS NOT NULL"};
      return Walk{"start_ms", "run_id", ""};
    case Kind::kText:
      if (field.column == "user_id") return Walk{"user_head", "run_no", ""};
      return std::nullopt;
    default: return std::nullopt;
  }
}

OrderValue WalkedValueFrom(const Row& row, int column, const RunField& field) {
  OrderValue value;
  value.rank = OrderValue::kValue;
  if (field.kind == Kind::kMetric) {
    value.number = row.GetDouble(column);
  } else if (field.kind == Kind::kTime) {
    value.integer = row.GetInt64(column);
  } else {
    value.text = row.GetText(column);
  }
  return value;
}

}  // namespace

/// Walks an index: each experiment (and stage, where the index has it) by a cursor of its own,
/// merged.
class IndexStream : public RunStream {
 public:
  IndexStream(RunReads& reads, const RunOrder& order, const Walk& walk,
              std::span<const RunCondition* const> tests)
      : reads_(reads), order_(order), walk_(walk), tests_(tests.begin(), tests.end()) {
    Restart();
  }

  bool has_heads_only() const override {
    return order_.field.kind != Kind::kMetric && order_.field.kind != Kind::kTime;
  }
  // The index has start times downwards and run ids upwards.
  bool is_total() const override { return is_by_start() && !order_.is_ascending; }

  Result<std::vector<Item>> Next(size_t count) override {
    std::vector<Item> items;
    while (items.size() < count) {
      Cursor* first = nullptr;
      for (Cursor& cursor : cursors_) {
        if (cursor.at == cursor.items.size() && !cursor.is_over)
          RETURN_IF_ERROR(Fill(cursor, std::max<size_t>(count / cursors_.size() + 1, 64)));
        if (cursor.at == cursor.items.size()) continue;
        if (first == nullptr || ComesBefore(cursor.items[cursor.at], first->items[first->at]))
          first = &cursor;
      }
      if (first == nullptr) break;
      if (cursors_.size() == 1) {
        items = std::move(first->items);
        first->items.clear();
        first->at = 0;
        break;
      }
      items.push_back(std::move(first->items[first->at++]));
    }
    return items;
  }

  void SeekPast(const OrderValue& value, const std::string* run_id) override {
    Seek(value, false);
    if (run_id == nullptr) return;
    for (Cursor& cursor : cursors_) cursor.last = Item{0, value, *run_id};
  }
  void SeekTo(const OrderValue& value) override { Seek(value, true); }

 private:
  struct Cursor {
    int64_t experiment_id = 0;
    int64_t stage = 0;
    std::vector<Item> items;
    size_t at = 0;
    std::optional<Item> last;  ///< what was read last: the next reading begins behind it
    bool is_over = false;
  };

  bool is_by_start() const { return walk_.tie == "run_id"; }

  bool ComesBefore(const Item& a, const Item& b) const {
    int order = Compare(a.value, b.value, order_.is_ascending);
    return order != 0 ? order < 0 : is_total() && a.run_id < b.run_id;
  }

  void Seek(const OrderValue& value, bool is_inclusive) {
    start_ = value;
    if (has_heads_only()) start_->text = CutCharacters(value.text, kHeadLength);
    is_inclusive_ = is_inclusive;
    Restart();
  }

  void Restart() {
    cursors_.clear();
    for (int64_t experiment_id : reads_.experiment_ids_) {
      if (!is_by_start()) {
        cursors_.push_back({.experiment_id = experiment_id});
        continue;
      }
      for (int64_t stage : reads_.stages_)
        cursors_.push_back({.experiment_id = experiment_id, .stage = stage});
    }
  }

  Status Fill(Cursor& cursor, size_t count) {
    cursor.items.clear();
    cursor.at = 0;
    // By start time the rest of the equal ones come first, in a reading of their own, since the
    // index has its two columns in opposite directions and no one condition says "behind" in it.
    if (cursor.last && is_by_start()) RETURN_IF_ERROR(Read(cursor, count, true));
    if (cursor.items.size() < count) {
      size_t wanted = count - cursor.items.size();
      size_t had = cursor.items.size();
      RETURN_IF_ERROR(Read(cursor, wanted, false));
      cursor.is_over = cursor.items.size() - had < wanted;
    }
    if (!cursor.items.empty()) cursor.last = cursor.items.back();
    return Ok();
  }

  sql::Param ParamOf(const OrderValue& value) const {
    if (order_.field.kind == Kind::kMetric) return value.number;
    if (order_.field.kind == Kind::kTime) return value.integer;
    return value.text;
  }

  Status Read(Cursor& cursor, size_t count, bool is_tie) {
    const RunField& field = order_.field;
    const bool is_up = order_.is_ascending;
    const bool is_tie_up = is_by_start() ? !is_up : is_up;
    SqlText sql;
    std::string test = "experiment_id = " + sql.Bind(cursor.experiment_id);
    if (is_by_start()) test += " AND stage = " + sql.Bind(cursor.stage);
    if (IsKeyed(field)) test += " AND key = " + sql.Bind(field.key);
    test += walk_.fixed;
    if (cursor.last) {
      std::string value = sql.Bind(ParamOf(cursor.last->value));
      if (is_tie) {
        test += fmt::format(" AND {} = {} AND {} {} {}", walk_.column, value, walk_.tie,
                            is_tie_up ? ">" : "<", sql.Bind(cursor.last->run_id));
      } else if (is_by_start()) {
        test += fmt::format(" AND {} {} {}", walk_.column, is_up ? ">" : "<", value);
      } else {
        test += fmt::format(" AND ({}, {}) {} ({}, {})", walk_.column, walk_.tie, is_up ? ">" : "<",
                            value, sql.Bind(cursor.last->run_no));
      }
    } else if (start_) {
      test += fmt::format(" AND {} {}{} {}", walk_.column, is_up ? ">" : "<",
                          is_inclusive_ ? "=" : "", sql.Bind(ParamOf(*start_)));
    }
    for (const RunCondition* condition : tests_) test += " AND " + condition->Loose(sql);
    std::string text = fmt::format(
        "SELECT run_no, {}{} FROM {} WHERE {} ORDER BY {}{}, {}{} LIMIT {}", walk_.column,
        is_by_start() ? ", run_id" : "", TableOf(field), test, walk_.column, is_up ? "" : " DESC",
        walk_.tie, is_tie_up ? "" : " DESC", sql.Bind(count));
    return reads_.reader_.ForEach(
        Query{"tracking.walk_runs", text}, sql.params, [&](const Row& row) {
          cursor.items.push_back({row.GetInt64(0), WalkedValueFrom(row, 1, field),
                                  is_by_start() ? row.GetText(2) : std::string()});
          return Ok();
        });
  }

  RunReads& reads_;
  const RunOrder order_;
  const Walk walk_;
  const std::vector<const RunCondition*> tests_;
  std::optional<OrderValue> start_;
  bool is_inclusive_ = false;
  std::vector<Cursor> cursors_;
};

/// Reads all values at once and sorts them.
class CollectedStream : public RunStream {
 public:
  CollectedStream(RunReads& reads, const RunOrder& order,
                  std::span<const RunCondition* const> tests)
      : reads_(reads), order_(order), tests_(tests.begin(), tests.end()) {}

  bool has_heads_only() const override { return false; }
  bool is_total() const override { return false; }

  Result<std::vector<Item>> Next(size_t count) override {
    if (!is_read_) RETURN_IF_ERROR(ReadAll());
    if (start_) {
      auto first = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
        return Compare(item.value, *start_, order_.is_ascending) > (is_inclusive_ ? -1 : 0);
      });
      at_ = static_cast<size_t>(first - items_.begin());
      start_.reset();
    }
    size_t end = std::min(items_.size(), at_ + count);
    std::vector<Item> items(items_.begin() + static_cast<ptrdiff_t>(at_),
                            items_.begin() + static_cast<ptrdiff_t>(end));
    at_ = end;
    return items;
  }

  void SeekPast(const OrderValue& value, const std::string* /*run_id*/) override {
    start_ = value;
    is_inclusive_ = false;
  }
  void SeekTo(const OrderValue& value) override {
    start_ = value;
    is_inclusive_ = true;
  }

 private:
  Status ReadAll() {
    is_read_ = true;
    const RunField& field = order_.field;
    SqlText sql;
    RunReads::Both experiment = reads_.ExperimentTest(sql, "experiment_id");
    std::string test = IsKeyed(field) ? " AND key = " + sql.Bind(field.key) : "";
    for (const RunCondition* condition : tests_) test += " AND " + condition->Exact(sql);
    auto text_of = [&](const std::string& experiment_test) {
      return fmt::format("SELECT run_no, {} FROM {} WHERE {}{}", ValueColumns(field),
                         TableOf(field), experiment_test, test);
    };
    std::string text = text_of(experiment.sqlite);
    std::string postgres = text_of(experiment.postgres);
    RETURN_IF_ERROR(reads_.reader_.ForEach(
        Query{"tracking.collect_values", text, postgres}, sql.params, [&](const Row& row) {
          Item item{row.GetInt64(0), ValueFrom(row, 1, field), {}};
          if (item.value.rank == OrderValue::kValue) items_.push_back(std::move(item));
          return Ok();
        }));
    std::sort(items_.begin(), items_.end(), [&](const Item& a, const Item& b) {
      return Compare(a.value, b.value, order_.is_ascending) < 0;
    });
    return Ok();
  }

  RunReads& reads_;
  const RunOrder order_;
  const std::vector<const RunCondition*> tests_;
  bool is_read_ = false;
  std::vector<Item> items_;
  size_t at_ = 0;
  std::optional<OrderValue> start_;
  bool is_inclusive_ = false;
};

std::unique_ptr<RunStream> OpenStream(RunReads& reads, const RunOrder& order,
                                      std::span<const RunCondition* const> tests) {
  std::optional<Walk> walk = FindWalk(order.field);
  if (walk && reads.experiment_ids().size() <= kCursorMax)
    return std::make_unique<IndexStream>(reads, order, *walk, tests);
  return std::make_unique<CollectedStream>(reads, order, tests);
}

}  // namespace sluice::tracking::internal
