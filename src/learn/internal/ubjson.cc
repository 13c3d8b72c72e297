#include "learn/internal/ubjson.h"

#include <fmt/format.h>

#include <bit>

namespace sluice::learn::internal {
namespace {

/// Bytes of a value of a fixed-size type; 0 for other types.
size_t TypeSize(char type) {
  switch (type) {
    case 'i':
    case 'U': return 1;
    case 'I': return 2;
    case 'l':
    case 'd': return 4;
    case 'L':
    case 'D': return 8;
    default: return 0;
  }
}

bool IsFloatType(char type) { return type == 'd' || type == 'D'; }

uint64_t ReadBigEndian(const char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

int64_t ReadInteger(char type, const char* bytes) {
  uint64_t raw = ReadBigEndian(bytes, TypeSize(type));
  switch (type) {
    case 'i': return static_cast<int8_t>(raw);
    case 'U': return static_cast<int64_t>(raw);
    case 'I': return static_cast<int16_t>(raw);
    case 'l': return static_cast<int32_t>(raw);
    default: return static_cast<int64_t>(raw);
  }
}

double ReadFloat(char type, const char* bytes) {
  if (type == 'd') return std::bit_cast<float>(static_cast<uint32_t>(ReadBigEndian(bytes, 4)));
  return std::bit_cast<double>(ReadBigEndian(bytes, 8));
}

}  // namespace

class UbjParser {
 public:
  explicit UbjParser(std::string_view bytes) : bytes_(bytes) {}

  Result<Ubj> ParseAll() {
    ASSIGN_OR_RETURN(char type, Next());
    ASSIGN_OR_RETURN(Ubj value, ParseValue(type, 0));
    if (at_ != bytes_.size()) return Fail("bytes follow the value");
    return value;
  }

 private:
  Error Fail(std::string_view what) const {
    return DataLoss(fmt::format("UBJSON at byte {}: {}", at_, what));
  }

  Result<char> Next() {
    if (at_ >= bytes_.size()) return Fail("the file ends too early");
    return bytes_[at_++];
  }
  Result<std::string_view> Take(size_t size) {
    if (size > bytes_.size() - at_) return Fail("the file ends too early");
    std::string_view piece = bytes_.substr(at_, size);
    at_ += size;
    return piece;
  }
  Result<size_t> ParseLength() {
    ASSIGN_OR_RETURN(char type, Next());
    if (TypeSize(type) == 0 || IsFloatType(type)) return Fail("a length is no integer");
    ASSIGN_OR_RETURN(std::string_view raw, Take(TypeSize(type)));
    int64_t length = ReadInteger(type, raw.data());
    // Every element has at least a byte, except that arrays of nulls and the like are not used by
    // XGBoost.
    if (length < 0 || static_cast<uint64_t>(length) > bytes_.size())
      return Fail("a length is out of range");
    return static_cast<size_t>(length);
  }

  Result<Ubj> ParseValue(char type, int depth) {
    if (depth > Ubj::kMaxDepth) return Fail("nested too deeply");
    Ubj value;
    switch (type) {
      case 'Z': return value;
      case 'T':
      case 'F':
        value.kind_ = Ubj::Kind::kBool;
        value.integer_ = type == 'T' ? 1 : 0;
        return value;
      case 'S': {
        ASSIGN_OR_RETURN(size_t length, ParseLength());
        ASSIGN_OR_RETURN(value.text_, Take(length));
        value.kind_ = Ubj::Kind::kText;
        return value;
      }
      case '[': RETURN_IF_ERROR(ParseArray(value, depth)); return value;
      case '{': RETURN_IF_ERROR(ParseObject(value, depth)); return value;
      default: break;
    }
    size_t size = TypeSize(type);
    if (size == 0) return Fail("unknown type");
    ASSIGN_OR_RETURN(std::string_view raw, Take(size));
    if (IsFloatType(type)) {
      value.kind_ = Ubj::Kind::kNumber;
      value.number_ = ReadFloat(type, raw.data());
    } else {
      value.kind_ = Ubj::Kind::kInteger;
      value.integer_ = ReadInteger(type, raw.data());
    }
    return value;
  }

  Status ParseArray(Ubj& value, int depth) {
    value.kind_ = Ubj::Kind::kArray;
    if (Peek() == '$') {
      ++at_;
      ASSIGN_OR_RETURN(value.element_type_, Next());
      size_t size = TypeSize(value.element_type_);
      ASSIGN_OR_RETURN(char hash, Next());
      if (size == 0 || hash != '#')
        return Fail("a typed array of an unknown type or without a length");
      ASSIGN_OR_RETURN(size_t count, ParseLength());
      ASSIGN_OR_RETURN(value.elements_, Take(count * size));
      value.kind_ = Ubj::Kind::kTypedArray;
      return Ok();
    }
    if (Peek() == '#') {
      ++at_;
      ASSIGN_OR_RETURN(size_t count, ParseLength());
      for (size_t i = 0; i < count; ++i) RETURN_IF_ERROR(ParseItem(value, depth));
      return Ok();
    }
    while (Peek() != ']') RETURN_IF_ERROR(ParseItem(value, depth));
    ++at_;
    return Ok();
  }

  Status ParseItem(Ubj& value, int depth) {
    ASSIGN_OR_RETURN(char type, Next());
    ASSIGN_OR_RETURN(Ubj item, ParseValue(type, depth + 1));
    value.items_.push_back(std::move(item));
    return Ok();
  }

  Status ParseObject(Ubj& value, int depth) {
    value.kind_ = Ubj::Kind::kObject;
    while (Peek() != '}') {
      ASSIGN_OR_RETURN(size_t length, ParseLength());
      ASSIGN_OR_RETURN(std::string_view key, Take(length));
      ASSIGN_OR_RETURN(char type, Next());
      ASSIGN_OR_RETURN(Ubj member, ParseValue(type, depth + 1));
      value.members_.emplace_back(key, std::move(member));
    }
    ++at_;
    return Ok();
  }

  /// The next byte without taking it; NUL at the end, which every caller then fails on.
  char Peek() const { return at_ < bytes_.size() ? bytes_[at_] : '\0'; }

  std::string_view bytes_;
  size_t at_ = 0;
};

Result<Ubj> Ubj::Parse(std::string_view bytes) { return UbjParser(bytes).ParseAll(); }

const Ubj* Ubj::Find(std::string_view key) const {
  for (const auto& [name, member] : members_) {
    if (name == key) return &member;
  }
  return nullptr;
}

Result<const Ubj*> Ubj::Get(std::string_view key) const {
  const Ubj* member = Find(key);
  if (member == nullptr) return DataLoss(fmt::format("'{}' is missing", key));
  return member;
}

Result<std::string_view> Ubj::GetText(std::string_view key) const {
  ASSIGN_OR_RETURN(const Ubj* member, Get(key));
  if (member->kind_ != Kind::kText) return DataLoss(fmt::format("'{}' is no text", key));
  return member->text_;
}

Result<std::vector<float>> Ubj::GetFloats(std::string_view key) const {
  ASSIGN_OR_RETURN(const Ubj* member, Get(key));
  std::vector<float> values;
  if (member->kind_ == Kind::kTypedArray && member->element_type_ == 'd') {
    for (size_t at = 0; at < member->elements_.size(); at += 4) {
      values.push_back(static_cast<float>(ReadFloat('d', member->elements_.data() + at)));
    }
    return values;
  }
  if (member->kind_ != Kind::kArray)
    return DataLoss(fmt::format("'{}' is no array of floats", key));
  for (const Ubj& item : member->items_) {
    if (item.kind_ == Kind::kNumber) {
      values.push_back(static_cast<float>(item.number_));
    } else if (item.kind_ == Kind::kInteger) {
      values.push_back(static_cast<float>(item.integer_));
    } else {
      return DataLoss(fmt::format("'{}' holds something that is no number", key));
    }
  }
  return values;
}

Result<std::vector<int64_t>> Ubj::GetIntegers(std::string_view key) const {
  ASSIGN_OR_RETURN(const Ubj* member, Get(key));
  std::vector<int64_t> values;
  if (member->kind_ == Kind::kTypedArray && !IsFloatType(member->element_type_)) {
    size_t size = TypeSize(member->element_type_);
    for (size_t at = 0; at < member->elements_.size(); at += size) {
      values.push_back(ReadInteger(member->element_type_, member->elements_.data() + at));
    }
    return values;
  }
  if (member->kind_ != Kind::kArray)
    return DataLoss(fmt::format("'{}' is no array of integers", key));
  for (const Ubj& item : member->items_) {
    if (item.kind_ != Kind::kInteger && item.kind_ != Kind::kBool) {
      return DataLoss(fmt::format("'{}' holds something that is no integer", key));
    }
    values.push_back(item.integer_);
  }
  return values;
}

}  // namespace sluice::learn::internal
