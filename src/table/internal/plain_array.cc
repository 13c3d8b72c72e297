#include "table/internal/plain_array.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <cstring>

#include "table/canonical.h"
#include "table/internal/arrow_status.h"

namespace sluice::table::internal {

namespace {

/// Bits of `count` values, with zeros behind them.
Result<std::shared_ptr<arrow::Buffer>> CopyBits(const uint8_t* bits, int64_t offset,
                                                int64_t count) {
  ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> copy, "copy", arrow::AllocateEmptyBitmap(count));
  for (int64_t i = 0; i < count; ++i) {
    if (arrow::bit_util::GetBit(bits, static_cast<uint64_t>(offset + i)))
      arrow::bit_util::SetBit(copy->mutable_data(), i);
  }
  return copy;
}

template <typename Value>
Result<std::shared_ptr<arrow::Buffer>> CopyValues(const arrow::Array& array) {
  const auto* values = array.data()->GetValues<Value>(1);
  ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> copy, "copy",
               arrow::AllocateBuffer(array.length() * static_cast<int64_t>(sizeof(Value))));
  auto* out = reinterpret_cast<Value*>(copy->mutable_data());
  for (int64_t i = 0; i < array.length(); ++i) out[i] = array.IsNull(i) ? Value{} : values[i];
  return copy;
}

Result<std::shared_ptr<arrow::Array>> CopyStrings(const arrow::StringArray& array,
                                                  std::shared_ptr<arrow::Buffer> validity) {
  ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> offsets_buffer, "copy",
               arrow::AllocateBuffer((array.length() + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* offsets = reinterpret_cast<int32_t*>(offsets_buffer->mutable_data());
  int32_t size = 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    offsets[i] = size;
    if (array.IsValid(i)) size += array.value_length(i);
  }
  offsets[array.length()] = size;
  ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> data, "copy", arrow::AllocateBuffer(size));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i) && array.value_length(i) > 0) {
      std::string_view value = array.GetView(i);
      std::memcpy(data->mutable_data() + offsets[i], value.data(), value.size());
    }
  }
  return std::make_shared<arrow::StringArray>(array.length(), std::move(offsets_buffer),
                                              std::move(data), std::move(validity),
                                              array.null_count());
}

/// Strings without nulls whose offsets begin at zero and whose bytes end with the last value need
/// no copy.
bool IsPlain(const arrow::Array& array) {
  if (array.offset() != 0 || array.null_count() != 0 || array.type_id() == arrow::Type::BOOL)
    return false;
  if (array.type_id() != arrow::Type::STRING) {
    return array.data()->buffers[1] != nullptr &&
           array.data()->buffers[1]->size() == array.length() * (array.type()->bit_width() / 8);
  }
  const auto& strings = static_cast<const arrow::StringArray&>(array);
  return array.data()->buffers[1] != nullptr &&
         array.data()->buffers[1]->size() ==
             (array.length() + 1) * static_cast<int64_t>(sizeof(int32_t)) &&
         array.data()->buffers[2] != nullptr && strings.value_offset(0) == 0 &&
         array.data()->buffers[2]->size() == strings.value_offset(array.length());
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> PlainArray(
    const std::vector<std::shared_ptr<arrow::Array>>& pieces) {
  std::shared_ptr<arrow::Array> array = pieces.front();
  if (pieces.size() > 1) {
    ARROW_ASSIGN(array, "join chunks", arrow::Concatenate(pieces));
  }
  if (IsPlain(*array)) {
    if (array->null_bitmap() == nullptr) return array;
    std::shared_ptr<arrow::ArrayData> data = array->data()->Copy();
    data->buffers[0] = nullptr;
    return arrow::MakeArray(std::move(data));
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (array->null_count() > 0) {
    ASSIGN_OR_RETURN(validity,
                     CopyBits(array->null_bitmap_data(), array->offset(), array->length()));
  }
  std::shared_ptr<arrow::Buffer> values;
  switch (array->type_id()) {
    case arrow::Type::STRING:
      return CopyStrings(static_cast<const arrow::StringArray&>(*array), std::move(validity));
    case arrow::Type::BOOL: {
      ARROW_ASSIGN(values, "copy", arrow::AllocateEmptyBitmap(array->length()));
      const auto& bools = static_cast<const arrow::BooleanArray&>(*array);
      for (int64_t i = 0; i < bools.length(); ++i) {
        if (bools.IsValid(i) && bools.Value(i)) arrow::bit_util::SetBit(values->mutable_data(), i);
      }
      break;
    }
    case arrow::Type::DATE32: {
      ASSIGN_OR_RETURN(values, CopyValues<int32_t>(*array));
      break;
    }
    default: {
      ASSIGN_OR_RETURN(values, CopyValues<int64_t>(*array));
    }
  }
  return arrow::MakeArray(arrow::ArrayData::Make(array->type(), array->length(),
                                                 {std::move(validity), std::move(values)},
                                                 array->null_count()));
}

}  // namespace sluice::table::internal
