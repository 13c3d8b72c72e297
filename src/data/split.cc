#include "data/split.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/random.h"
#include "base/suggest.h"
#include "data/internal/column_reader.h"

namespace sluice::data {

namespace {

using internal::CellView;
using internal::ColumnReader;
using internal::CompareViews;
using internal::IsNan;
using internal::IsNull;

// Parts are numbered in the order in which rows are given away; training gets what is left.
enum Part : uint8_t { kTrain, kValidation, kTest };
constexpr std::array<std::string_view, 3> kPartNames = {"train", "validation", "test"};

constexpr std::array<std::pair<SplitMethod, std::string_view>, 5> kMethodNames = {
    {{SplitMethod::kRandom, "random"},
     {SplitMethod::kStratified, "stratified"},
     {SplitMethod::kGrouped, "grouped"},
     {SplitMethod::kTime, "time"},
     {SplitMethod::kHash, "hash"}}};

/// The share of all rows, whichever way it was written.
double ShareOf(const PartSize& size, int64_t row_count) {
  if (!size.is_count) return size.share;
  return row_count == 0 ? 0 : static_cast<double>(size.row_count) / static_cast<double>(row_count);
}

bool IsWanted(const PartSize& size) { return size.is_count ? size.row_count > 0 : size.share > 0; }

int64_t RowsOf(const PartSize& size, int64_t row_count) {
  if (size.is_count) return size.row_count;
  return static_cast<int64_t>(std::floor(size.share * static_cast<double>(row_count) + 0.5));
}

/// The validated request.
struct Wanted {
  int64_t row_count = 0;
  std::array<double, 3> shares{};
  std::array<int64_t, 3> rows{};
  std::array<bool, 3> is_wanted{};
};

Result<Wanted> Request(int64_t row_count, const SplitOptions& options) {
  Wanted wanted;
  wanted.row_count = row_count;
  for (auto [part, size] :
       {std::pair(kTest, &options.test), std::pair(kValidation, &options.validation)}) {
    if (size->is_count ? size->row_count < 0 : !(size->share >= 0 && size->share < 1)) {
      return InvalidArgument(fmt::format(
          "the {} part must be a share in [0, 1) or a number of rows", kPartNames[part]));
    }
    wanted.shares[part] = ShareOf(*size, row_count);
    wanted.rows[part] = RowsOf(*size, row_count);
    wanted.is_wanted[part] = IsWanted(*size);
  }
  bool are_counts = options.test.is_count || options.validation.is_count;
  wanted.shares[kTrain] = 1 - wanted.shares[kValidation] - wanted.shares[kTest];
  wanted.rows[kTrain] = row_count - wanted.rows[kValidation] - wanted.rows[kTest];
  wanted.is_wanted[kTrain] = true;
  if (are_counts && wanted.rows[kTrain] < 1) {
    return InvalidArgument(
        fmt::format("{} validation and {} test rows leave nothing of {} rows to train on",
                    wanted.rows[kValidation], wanted.rows[kTest], row_count));
  }
  if (!are_counts && wanted.shares[kTrain] < 1e-9) {
    return InvalidArgument(
        fmt::format("validation {:.4g}% and test {:.4g}% leave nothing to train on",
                    100 * wanted.shares[kValidation], 100 * wanted.shares[kTest]));
  }
  return wanted;
}

/// Assigns by a part for each row.
Result<Parts> Collect(const std::vector<Part>& part_of, const Wanted& wanted,
                      std::string_view hint) {
  Parts parts;
  std::array<std::vector<int64_t>*, 3> lists = {&parts.train, &parts.validation, &parts.test};
  for (size_t row = 0; row < part_of.size(); ++row)
    lists[part_of[row]]->push_back(static_cast<int64_t>(row));
  for (Part part : {kTrain, kValidation, kTest}) {
    if (wanted.is_wanted[part] && lists[part]->empty()) {
      return FailedPrecondition(fmt::format("the {} part stays empty: {} rows {}", kPartNames[part],
                                            part_of.size(), hint));
    }
  }
  return parts;
}

std::vector<Part> SplitRandomly(const Wanted& wanted, const SplitOptions& options) {
  std::vector<int64_t> order(static_cast<size_t>(wanted.row_count));
  std::iota(order.begin(), order.end(), 0);
  Random random(options.seed, "split");
  random.Shuffle(std::span(order));
  std::vector<Part> part_of(order.size(), kTrain);
  auto test_end = static_cast<size_t>(wanted.rows[kTest]);
  auto validation_end = test_end + static_cast<size_t>(wanted.rows[kValidation]);
  for (size_t i = 0; i < validation_end; ++i) {
    part_of[static_cast<size_t>(order[i])] = i < test_end ? kTest : kValidation;
  }
  return part_of;
}

/// Rows by value of a column, groups in order of first appearance.
struct Groups {
  std::vector<std::vector<int64_t>> rows;
  std::vector<int64_t> first_row;
};

Groups GroupRows(const ColumnReader& column) {
  Groups groups;
  std::vector<uint64_t> hashes = internal::HashRows({column});
  std::unordered_map<uint64_t, size_t> group_of;
  for (size_t row = 0; row < hashes.size(); ++row) {
    auto [at, is_new] = group_of.try_emplace(hashes[row], groups.rows.size());
    if (is_new) {
      groups.rows.emplace_back();
      groups.first_row.push_back(static_cast<int64_t>(row));
    }
    groups.rows[at->second].push_back(static_cast<int64_t>(row));
  }
  return groups;
}

/// Splits `total` in proportion to `weights` into whole numbers: each gets its share rounded down,
/// and what is left goes to the largest remainders, the first among equals. No one gets more than
/// `limits`.
std::vector<int64_t> LargestRemainders(const std::vector<double>& exact, int64_t total,
                                       const std::vector<int64_t>& limits) {
  std::vector<int64_t> counts(exact.size());
  std::vector<size_t> order(exact.size());
  std::iota(order.begin(), order.end(), size_t{0});
  int64_t given = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    counts[i] = std::min(limits[i], static_cast<int64_t>(std::floor(exact[i] + 1e-9)));
    given += counts[i];
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return exact[a] - static_cast<double>(counts[a]) > exact[b] - static_cast<double>(counts[b]);
  });
  // More than one round is only needed where limits got in the way.
  for (bool has_room = true; has_room && given < total;) {
    has_room = false;
    for (size_t i : order) {
      if (given == total) break;
      if (counts[i] >= limits[i]) continue;
      ++counts[i];
      ++given;
      has_room = true;
    }
  }
  return counts;
}

Result<std::vector<Part>> SplitByLabel(const ColumnReader& label, const Wanted& wanted,
                                       const SplitOptions& options) {
  Groups classes = GroupRows(label);
  int part_count = 0;
  for (bool is_wanted : wanted.is_wanted) part_count += is_wanted ? 1 : 0;
  size_t class_count = classes.rows.size();
  for (size_t i = 0; i < class_count; ++i) {
    if (static_cast<int64_t>(classes.rows[i].size()) >= part_count) continue;
    return FailedPrecondition(
        fmt::format("class '{}' of column '{}' has {} of the {} rows that a stratified split into "
                    "{} parts needs; merge or drop the "
                    "class, or split by another method",
                    internal::FormatView(label.At(classes.first_row[i]), label.type()),
                    options.column, classes.rows[i].size(), part_count, part_count));
  }
  // Each class has its own sequence, so that a new class leaves the order of the others alone.
  for (size_t i = 0; i < class_count; ++i) {
    std::string name = FormatCell(internal::ToCell(label.At(classes.first_row[i])), label.type());
    Random random(StableHash64(name, options.seed), "split");
    random.Shuffle(std::span(classes.rows[i]));
  }
  std::vector<Part> part_of(static_cast<size_t>(wanted.row_count), kTrain);
  std::vector<int64_t> taken(class_count);
  for (Part part : {kTest, kValidation}) {
    if (!wanted.is_wanted[part]) continue;
    std::vector<double> exact(class_count);
    std::vector<int64_t> limits(class_count);
    for (size_t i = 0; i < class_count; ++i) {
      auto size = static_cast<int64_t>(classes.rows[i].size());
      exact[i] = static_cast<double>(wanted.rows[part]) * static_cast<double>(size) /
                 static_cast<double>(wanted.row_count);
      // One row at least stays for each part after this one.
      limits[i] = size - taken[i] - (part == kTest && wanted.is_wanted[kValidation] ? 2 : 1);
    }
    std::vector<int64_t> counts = LargestRemainders(exact, wanted.rows[part], limits);
    for (size_t i = 0; i < class_count; ++i) {
      std::vector<int64_t>& rows = classes.rows[i];
      for (int64_t n = 0; n < counts[i]; ++n)
        part_of[static_cast<size_t>(rows[static_cast<size_t>(taken[i]++)])] = part;
    }
  }
  return part_of;
}

/// Null and NaN have no place in an order and belong to no group.
Status CheckNoMissing(const ColumnReader& column, std::string_view what,
                      const SplitOptions& options) {
  int64_t count = 0;
  int64_t first = 0;
  column.ForEach([&](int64_t row, const CellView& view) {
    if (!IsNull(view) && !IsNan(view)) return;
    if (count++ == 0) first = row;
  });
  if (count == 0) return Ok();
  return InvalidArgument(fmt::format(
      "column '{}' has no {} in {} rows (first: row {}); fill or drop them before splitting",
      options.column, what, count, first));
}

Result<std::vector<Part>> SplitByGroup(const ColumnReader& column, const Wanted& wanted,
                                       const SplitOptions& options) {
  RETURN_IF_ERROR(CheckNoMissing(column, "group", options));
  Groups groups = GroupRows(column);
  std::vector<size_t> order(groups.rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Random random(options.seed, "split");
  random.Shuffle(std::span(order));
  std::vector<Part> part_of(static_cast<size_t>(wanted.row_count), kTrain);
  size_t next = 0;
  for (Part part : {kTest, kValidation}) {
    int64_t filled = 0;
    while (wanted.is_wanted[part] && next < order.size() && filled < wanted.rows[part]) {
      const std::vector<int64_t>& rows = groups.rows[order[next]];
      auto size = static_cast<int64_t>(rows.size());
      // A group that would overshoot by more than it misses without it stays for the next part.
      bool overshoots =
          filled > 0 && filled + size - wanted.rows[part] > wanted.rows[part] - filled;
      if (overshoots) break;
      for (int64_t row : rows) part_of[static_cast<size_t>(row)] = part;
      filled += size;
      ++next;
    }
  }
  return part_of;
}

Result<std::vector<Part>> SplitByTime(const ColumnReader& column, const Wanted& wanted,
                                      const SplitOptions& options) {
  if (!IsOrdered(column.type())) {
    return InvalidArgument(fmt::format("column '{}' is of type {}, which has no order to split by",
                                       options.column, ColumnTypeName(column.type())));
  }
  RETURN_IF_ERROR(CheckNoMissing(column, "time", options));
  std::vector<CellView> values(static_cast<size_t>(wanted.row_count));
  column.ForEach(
      [&](int64_t row, const CellView& view) { values[static_cast<size_t>(row)] = view; });
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return CompareViews(values[a], values[b]) < 0; });
  auto is_tied = [&](size_t a, size_t b) {
    return CompareViews(values[order[a]], values[order[b]]) == 0;
  };
  // A cut at row n moves to the nearer end of the run of equal times around it.
  auto move_cut = [&](size_t cut) {
    if (cut == 0 || cut >= order.size() || !is_tied(cut - 1, cut)) return cut;
    size_t begin = cut;
    size_t end = cut;
    while (begin > 0 && is_tied(begin - 1, cut)) --begin;
    while (end < order.size() && is_tied(end, cut)) ++end;
    return end - cut <= cut - begin ? end : begin;
  };
  size_t test_begin = move_cut(order.size() - static_cast<size_t>(wanted.rows[kTest]));
  size_t validation_begin = test_begin;
  if (wanted.is_wanted[kValidation]) {
    auto target = order.size() - static_cast<size_t>(wanted.rows[kTest] + wanted.rows[kValidation]);
    validation_begin = std::min(test_begin, move_cut(target));
  }
  std::vector<Part> part_of(order.size(), kTrain);
  for (size_t i = validation_begin; i < order.size(); ++i)
    part_of[order[i]] = i < test_begin ? kValidation : kTest;
  return part_of;
}

Result<std::vector<Part>> SplitByHash(const ColumnReader& column, const Wanted& wanted,
                                      const SplitOptions& options) {
  if (options.test.is_count || options.validation.is_count) {
    return InvalidArgument(
        "a split by hash gives shares of the keys, not a number of rows; write 20% instead of a "
        "count");
  }
  RETURN_IF_ERROR(CheckNoMissing(column, "key", options));
  uint64_t seed = StableHash64(options.salt);
  std::vector<Part> part_of(static_cast<size_t>(wanted.row_count), kTrain);
  double test_end = wanted.shares[kTest];
  double validation_end = test_end + wanted.shares[kValidation];
  column.ForEach([&](int64_t row, const CellView& view) {
    const std::string_view* text = std::get_if<std::string_view>(&view);
    uint64_t hash = text != nullptr
                        ? StableHash64(*text, seed)
                        : StableHash64(FormatCell(internal::ToCell(view), column.type()), seed);
    double place = static_cast<double>(hash >> 11) * 0x1.0p-53;
    if (place < validation_end)
      part_of[static_cast<size_t>(row)] = place < test_end ? kTest : kValidation;
  });
  return part_of;
}

}  // namespace

std::string_view SplitMethodName(SplitMethod method) {
  for (const auto& [known, name] : kMethodNames) {
    if (known == method) return name;
  }
  return "";
}

Result<SplitMethod> ParseSplitMethod(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [method, known] : kMethodNames) {
    if (known == name) return method;
    names.emplace_back(known);
  }
  return InvalidArgument(fmt::format("'{}' is no way to split{}; known are {}", name,
                                     DidYouMean(name, names), fmt::join(names, ", ")));
}

Result<PartSize> PartSize::Parse(std::string_view text) {
  auto refuse = [&] {
    return InvalidArgument(fmt::format(
        "'{}' is no size of a part; write a share (0.2 or 20%, below 1) or a number of rows (5000)",
        text));
  };
  PartSize size;
  const char* end = text.data() + text.size();
  auto [count_end, count_error] = std::from_chars(text.data(), end, size.row_count);
  if (count_error == std::errc() && count_end == end) {
    size.is_count = size.row_count > 0;
    if (size.row_count < 0) return refuse();
    return size;
  }
  size.row_count = 0;
  bool is_percent = !text.empty() && text.back() == '%';
  if (is_percent) --end;
  auto [share_end, share_error] = std::from_chars(text.data(), end, size.share);
  if (share_error != std::errc() || share_end != end) return refuse();
  if (is_percent) size.share /= 100;
  if (!(size.share >= 0 && size.share < 1)) return refuse();
  return size;
}

Result<Parts> SplitRows(const arrow::Table& table, const SplitOptions& options) {
  if (table.num_rows() == 0) return FailedPrecondition("a table without rows cannot be split");
  ASSIGN_OR_RETURN(Wanted wanted, Request(table.num_rows(), options));
  if (options.method == SplitMethod::kRandom) {
    return Collect(SplitRandomly(wanted, options), wanted, "are too few for such a share");
  }
  if (options.column.empty()) {
    return InvalidArgument(
        fmt::format("a split by method '{}' needs a column", SplitMethodName(options.method)));
  }
  ASSIGN_OR_RETURN(ColumnReader column, internal::ReadColumn(table, options.column));
  std::string hint = fmt::format(
      "with column '{}' do not divide so; choose another share, column or method", options.column);
  switch (options.method) {
    case SplitMethod::kStratified: {
      ASSIGN_OR_RETURN(std::vector<Part> part_of, SplitByLabel(column, wanted, options));
      return Collect(part_of, wanted, hint);
    }
    case SplitMethod::kGrouped: {
      ASSIGN_OR_RETURN(std::vector<Part> part_of, SplitByGroup(column, wanted, options));
      return Collect(part_of, wanted, hint);
    }
    case SplitMethod::kTime: {
      ASSIGN_OR_RETURN(std::vector<Part> part_of, SplitByTime(column, wanted, options));
      return Collect(part_of, wanted, hint);
    }
    default: {
      ASSIGN_OR_RETURN(std::vector<Part> part_of, SplitByHash(column, wanted, options));
      return Collect(part_of, wanted, hint);
    }
  }
}

Result<std::shared_ptr<arrow::Table>> TakeRows(const std::shared_ptr<arrow::Table>& table,
                                               const std::vector<int64_t>& rows) {
  for (int64_t row : rows) {
    if (row < 0 || row >= table->num_rows()) {
      return InvalidArgument(
          fmt::format("row {} is not in the table, which has {} rows", row, table->num_rows()));
    }
  }
  arrow::Status initialized = arrow::compute::Initialize();
  if (!initialized.ok()) return Internal(initialized.ToString());
  auto indices = std::make_shared<arrow::Int64Array>(static_cast<int64_t>(rows.size()),
                                                     arrow::Buffer::Wrap(rows.data(), rows.size()));
  arrow::Result<arrow::Datum> taken = arrow::compute::Take(
      arrow::Datum(table), arrow::Datum(indices), arrow::compute::TakeOptions::NoBoundsCheck());
  if (!taken.ok())
    return ResourceExhausted(
        fmt::format("take {} rows: {}", rows.size(), taken.status().ToString()));
  return taken->table();
}

}  // namespace sluice::data
