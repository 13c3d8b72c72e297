#include "table/internal/csv_column.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "table/internal/arrow_status.h"
#include "table/time_text.h"

namespace sluice::table::internal {

namespace {

constexpr size_t kShortCopyBytes = 16;

/// What a column's decoder reads from.
struct ColumnText {
  const char* text;
  const CsvRows& rows;
  size_t column;
  const CsvSyntax& syntax;
  const ValueRules& rules;

  /// Calls body(row, begin, end) for each row's field, until it returns false.
  template <typename Body>
  void ForEach(Body&& body) const {
    if (rows.row_count == 0) return;  // then there may be no field_ends to add to
    const size_t stride = rows.column_count;
    const uint32_t* end = rows.field_ends + column;
    if (column == 0) {
      for (size_t row = 0; row < rows.row_count; ++row, end += stride) {
        if (!body(row, text + rows.row_begins[row], text + *end)) return;
      }
    } else {
      for (size_t row = 0; row < rows.row_count; ++row, end += stride) {
        if (!body(row, text + end[-1] + 1, text + *end)) return;
      }
    }
  }
};

/// The bitmap appears with the first null.
class Validity {
 public:
  explicit Validity(size_t row_count) : row_count_(static_cast<int64_t>(row_count)) {}

  Status SetNull(size_t row) {
    if (bits_ == nullptr) {
      ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> buffer, "decode",
                   arrow::AllocateBitmap(row_count_));
      buffer_ = std::move(buffer);
      bits_ = buffer_->mutable_data();
      std::memset(bits_, 0, static_cast<size_t>(buffer_->size()));
      arrow::bit_util::SetBitsTo(bits_, 0, row_count_, true);
    }
    arrow::bit_util::ClearBit(bits_, static_cast<int64_t>(row));
    ++null_count_;
    return Ok();
  }
  const std::shared_ptr<arrow::Buffer>& buffer() const { return buffer_; }
  int64_t null_count() const { return null_count_; }

 private:
  const int64_t row_count_;
  std::shared_ptr<arrow::Buffer> buffer_;
  uint8_t* bits_ = nullptr;
  int64_t null_count_ = 0;
};

// A decoder per type: Fast takes the plainest form or declines, Full takes every form that
// ValueRules knows.

struct BoolDecoder {
  using Value = uint8_t;
  static bool Fast(const char* begin, const char* end, const ValueRules& rules, NumberForm form,
                   Value& value) {
    bool truth = false;
    if (rules.has_usual_bools()) {
      if (end - begin == 4 && std::memcmp(begin, "true", 4) == 0) return value = 1, true;
      if (end - begin == 5 && std::memcmp(begin, "false", 5) == 0) return value = 0, true;
    }
    if (!rules.ToBool({begin, static_cast<size_t>(end - begin)}, form, truth)) return false;
    value = truth ? 1 : 0;
    return true;
  }
  static bool Full(std::string_view text, const ValueRules& rules, NumberForm form, Value& value) {
    return Fast(text.data(), text.data() + text.size(), rules, form, value);
  }
};

struct Int64Decoder {
  using Value = int64_t;
  static bool Fast(const char* begin, const char* end, const ValueRules&, NumberForm form,
                   Value& value) {
    return ParseInt64(begin, end, form, value);
  }
  static bool Full(std::string_view text, const ValueRules& rules, NumberForm form, Value& value) {
    return rules.ToInt64(text, form, value);
  }
};

struct DoubleDecoder {
  using Value = double;
  static bool Fast(const char* begin, const char* end, const ValueRules&, NumberForm form,
                   Value& value) {
    return ParseDouble(begin, end, form, value) &&
           !std::isnan(value);  // "NaN" is mostly a null spelling
  }
  static bool Full(std::string_view text, const ValueRules& rules, NumberForm form, Value& value) {
    return rules.ToDouble(text, form, value);
  }
};

struct DateDecoder {
  using Value = int32_t;
  static bool Fast(const char* begin, const char* end, const ValueRules&, NumberForm,
                   Value& value) {
    std::optional<int32_t> days = ParseIsoDate({begin, static_cast<size_t>(end - begin)});
    if (days) value = *days;
    return days.has_value();
  }
  static bool Full(std::string_view text, const ValueRules& rules, NumberForm, Value& value) {
    return rules.ToDate(text, value);
  }
};

struct TimestampDecoder {
  using Value = int64_t;
  static bool Fast(const char* begin, const char* end, const ValueRules&, NumberForm form,
                   Value& value) {
    std::optional<int64_t> micros = ParseIsoTimestamp(
        {begin, static_cast<size_t>(end - begin)}, {.cuts_fraction = form == NumberForm::kGiven});
    if (micros) value = *micros;
    return micros.has_value();
  }
  static bool Full(std::string_view text, const ValueRules& rules, NumberForm form, Value& value) {
    return rules.ToTimestamp(text, form, value);
  }
};

std::shared_ptr<arrow::Array> MakeArray(ColumnType type, size_t row_count, const Validity& validity,
                                        std::vector<std::shared_ptr<arrow::Buffer>> buffers) {
  return arrow::MakeArray(arrow::ArrayData::Make(ArrowType(type), static_cast<int64_t>(row_count),
                                                 std::move(buffers), validity.null_count()));
}

/// Values one byte each into bits.
Result<std::shared_ptr<arrow::Buffer>> PackBits(const uint8_t* values, size_t count) {
  ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> bits, "decode",
               arrow::AllocateBitmap(static_cast<int64_t>(count)));
  uint8_t* out = bits->mutable_data();
  std::memset(out, 0, static_cast<size_t>(bits->size()));
  for (size_t i = 0; i < count; ++i)
    out[i / 8] = static_cast<uint8_t>(out[i / 8] | values[i] << (i % 8));
  return bits;
}

template <typename Decoder>
Result<DecodedColumn> DecodeFixed(const ColumnText& source, const ColumnPlan& plan) {
  using Value = typename Decoder::Value;
  const size_t row_count = source.rows.row_count;
  const ValueRules& rules = source.rules;
  const NumberForm form = plan.is_given ? NumberForm::kGiven : NumberForm::kInferred;
  // The plain form may be tried first only if nothing else gives it another meaning.
  bool is_fast = !rules.has_null_that_is_value();
  if (plan.type == ColumnType::kInt64 || plan.type == ColumnType::kDouble)
    is_fast &= rules.has_plain_numbers();
  if (plan.type == ColumnType::kTimestamp || plan.type == ColumnType::kDate || !plan.is_given) {
    is_fast &= !rules.has_date_formats();
  }

  ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> buffer, "decode",
               arrow::AllocateBuffer(static_cast<int64_t>(row_count * sizeof(Value))));
  auto* values = reinterpret_cast<Value*>(buffer->mutable_data());
  Validity validity(row_count);
  DecodedColumn result;
  Status status;
  std::string scratch;
  source.ForEach([&](size_t row, const char* begin, const char* end) {
    if (is_fast && Decoder::Fast(begin, end, rules, form, values[row])) [[likely]]
      return true;
    CsvField field = UnwrapField(begin, end, source.syntax, scratch);
    if (rules.IsNull(field.text, field.is_quoted) || IsBlankText(field.text)) {
      values[row] = Value{};
      status = validity.SetNull(row);
      return status.ok();
    }
    bool fits = Decoder::Full(field.text, rules, form, values[row]);
    // With date formats an integer or a real may be a date: its kind decides, as in the first look
    // at the column.
    if (fits && !plan.is_given && rules.has_date_formats()) {
      KindSet kind = rules.Kind(field.text, field.is_quoted);
      fits = TypeOfKinds(static_cast<KindSet>(kind | KindsOfType(plan.type))) == plan.type;
    }
    if (fits) return true;
    values[row] = Value{};
    result.does_not_fit = true;
    if (plan.is_given) result.bad_rows.push_back(static_cast<uint32_t>(row));
    return plan.is_given;
  });
  RETURN_IF_ERROR(status);
  if (result.does_not_fit) return result;
  if constexpr (std::is_same_v<Decoder, BoolDecoder>) {
    ASSIGN_OR_RETURN(buffer, PackBits(values, row_count));
  }
  result.array = MakeArray(plan.type, row_count, validity, {validity.buffer(), std::move(buffer)});
  return result;
}

Result<DecodedColumn> DecodeStrings(const ColumnText& source) {
  const size_t row_count = source.rows.row_count;
  const ValueRules& rules = source.rules;
  const CsvSyntax& syntax = source.syntax;
  size_t total_bytes = 0;
  source.ForEach([&](size_t, const char* begin, const char* end) {
    total_bytes += static_cast<size_t>(end - begin);
    return true;
  });
  if (total_bytes > INT32_MAX) {
    return ResourceExhausted(
        fmt::format("a chunk holds {} bytes of one text column, over 2 GiB; read in smaller chunks",
                    total_bytes));
  }
  ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> offsets_buffer, "decode",
               arrow::AllocateBuffer(static_cast<int64_t>((row_count + 1) * sizeof(int32_t))));
  ARROW_ASSIGN(std::unique_ptr<arrow::ResizableBuffer> data_buffer, "decode",
               arrow::AllocateResizableBuffer(static_cast<int64_t>(total_bytes + kShortCopyBytes)));
  auto* offsets = reinterpret_cast<int32_t*>(offsets_buffer->mutable_data());
  auto* data = reinterpret_cast<char*>(data_buffer->mutable_data());
  char* out = data;
  const bool may_wrap = syntax.quote.has_value() || syntax.trim_blanks;
  const char quote = syntax.quote.value_or('\0');
  Validity validity(row_count);
  Status status;
  std::string scratch;
  source.ForEach([&](size_t row, const char* begin, const char* end) {
    offsets[row] = static_cast<int32_t>(out - data);
    auto size = static_cast<size_t>(end - begin);
    bool is_quoted = false;
    if (may_wrap && size > 0 && (*begin == quote || syntax.trim_blanks)) {
      CsvField field = UnwrapField(begin, end, syntax, scratch);
      begin = field.text.data();
      size = field.text.size();
      is_quoted = field.is_quoted;
    }
    if (rules.IsNull({begin, size}, is_quoted)) {
      status = validity.SetNull(row);
      return status.ok();
    }
    if (size <= kShortCopyBytes) {
      std::memcpy(out, begin, kShortCopyBytes);
    } else {
      std::memcpy(out, begin, size);
    }
    out += size;
    return true;
  });
  RETURN_IF_ERROR(status);
  offsets[row_count] = static_cast<int32_t>(out - data);
  ARROW_RETURN_IF_ERROR("decode", data_buffer->Resize(out - data, /*shrink_to_fit=*/false));
  DecodedColumn result;
  result.array = MakeArray(ColumnType::kString, row_count, validity,
                           {validity.buffer(), std::move(offsets_buffer), std::move(data_buffer)});
  return result;
}

Result<DecodedColumn> DecodeNulls(const ColumnText& source) {
  DecodedColumn result;
  std::string scratch;
  source.ForEach([&](size_t, const char* begin, const char* end) {
    CsvField field = UnwrapField(begin, end, source.syntax, scratch);
    result.does_not_fit = source.rules.Kind(field.text, field.is_quoted) != kNoKind;
    return !result.does_not_fit;
  });
  if (result.does_not_fit) return result;
  return DecodeStrings(source);  // blank cells are kept if they are no null spelling
}

Result<DecodedColumn> Decode(const ColumnText& source, const ColumnPlan& plan) {
  if (plan.is_null_only) return DecodeNulls(source);
  switch (plan.type) {
    case ColumnType::kBool: return DecodeFixed<BoolDecoder>(source, plan);
    case ColumnType::kInt64: return DecodeFixed<Int64Decoder>(source, plan);
    case ColumnType::kDouble: return DecodeFixed<DoubleDecoder>(source, plan);
    case ColumnType::kDate: return DecodeFixed<DateDecoder>(source, plan);
    case ColumnType::kTimestamp: return DecodeFixed<TimestampDecoder>(source, plan);
    case ColumnType::kString: break;
  }
  return DecodeStrings(source);
}

}  // namespace

KindSet FindKinds(std::string_view text, const CsvRows& rows, size_t column,
                  const CsvSyntax& syntax, const ValueRules& rules) {
  KindSet kinds = kNoKind;
  std::string scratch;
  ColumnText{text.data(), rows, column, syntax, rules}.ForEach(
      [&](size_t, const char* begin, const char* end) {
        CsvField field = UnwrapField(begin, end, syntax, scratch);
        kinds |= rules.Kind(field.text, field.is_quoted);
        return (kinds & kTextKind) == 0;  // nothing can change a string column
      });
  return kinds;
}

Result<DecodedColumn> DecodeColumn(std::string_view text, const CsvRows& rows, size_t column,
                                   const CsvSyntax& syntax, const ValueRules& rules,
                                   const ColumnPlan& plan) {
  ASSIGN_OR_RETURN(DecodedColumn result, Decode({text.data(), rows, column, syntax, rules}, plan));
  if (result.does_not_fit && !plan.is_given)
    result.kinds = FindKinds(text, rows, column, syntax, rules);
  return result;
}

}  // namespace sluice::table::internal
