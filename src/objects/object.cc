#include "objects/object.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace sluice::objects {
namespace {

constexpr std::string_view kTreeHeader = "sluice-tree 1\n";
constexpr size_t kHexDigits = 64;

/// A name as it may stand in a message.
std::string Quoted(std::string_view name) {
  std::string result = "'";
  for (char c : name.substr(0, 80)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + (name.size() > 80 ? "...'" : "'");
}

/// Takes `text` up to `separator` off the front; nothing if it is not there.
std::optional<std::string_view> TakeUntil(std::string_view& text, char separator) {
  size_t end = text.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view part = text.substr(0, end);
  text.remove_prefix(end + 1);
  return part;
}

std::optional<int64_t> ParseSize(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return static_cast<int64_t>(value);
}

Result<TreeEntry> DecodeEntry(std::string_view line) {
  std::optional<std::string_view> kind_name = TakeUntil(line, ' ');
  std::optional<std::string_view> hex = TakeUntil(line, ' ');
  std::optional<std::string_view> size_text = TakeUntil(line, ' ');
  if (!kind_name || !hex || !size_text) return DataLoss("it is not 'kind digest size name'");
  TreeEntry entry;
  ASSIGN_OR_RETURN(entry.kind, ParseObjectKind(*kind_name));
  ASSIGN_OR_RETURN(entry.digest, Digest::FromHex(*hex));
  std::optional<int64_t> size_bytes = ParseSize(*size_text);
  if (!size_bytes) return DataLoss(fmt::format("{} is not a size", Quoted(*size_text)));
  entry.size_bytes = *size_bytes;
  RETURN_IF_ERROR(CheckEntryName(line));
  entry.name = line;
  return entry;
}

}  // namespace

std::string_view ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kFile: return "file";
    case ObjectKind::kExecutable: return "exec";
    case ObjectKind::kTree: return "tree";
  }
  return "unknown";
}

Result<ObjectKind> ParseObjectKind(std::string_view name) {
  for (ObjectKind kind : {ObjectKind::kFile, ObjectKind::kExecutable, ObjectKind::kTree}) {
    if (name == ObjectKindName(kind)) return kind;
  }
  return InvalidArgument(
      fmt::format("{} is no kind of object; use file, exec or tree", Quoted(name)));
}

std::string ObjectId::ToString() const {
  return fmt::format("{}:{}", ObjectKindName(kind), digest.ToHex());
}

Result<ObjectId> ObjectId::Parse(std::string_view text) {
  std::string_view rest = text;
  std::optional<std::string_view> kind_name = TakeUntil(rest, ':');
  if (!kind_name) {
    return InvalidArgument(
        fmt::format("{} is no object id, which is like 'tree:<64 hex digits>'", Quoted(text)));
  }
  ObjectId id;
  ASSIGN_OR_RETURN(id.kind, ParseObjectKind(*kind_name));
  ASSIGN_OR_RETURN(id.digest, Digest::FromHex(rest));
  return id;
}

Status CheckEntryName(std::string_view name) {
  auto refuse = [&](std::string_view why) {
    return InvalidArgument(fmt::format("file name {} cannot be stored: {}", Quoted(name), why));
  };
  if (name.empty()) return refuse("it is empty");
  if (name == "." || name == "..") return refuse("it means another folder");
  if (name.size() > kMaxNameBytes)
    return refuse(fmt::format("it is longer than {} bytes", kMaxNameBytes));
  for (char c : name) {
    auto byte = static_cast<unsigned char>(c);
    if (byte == '/') return refuse("it holds a slash");
    if (byte < 0x20 || byte == 0x7f) return refuse("it holds a control character; rename the file");
  }
  return Ok();
}

Result<std::string> EncodeTree(Tree tree) {
  std::sort(tree.begin(), tree.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; });
  std::string bytes(kTreeHeader);
  int64_t total_bytes = 0;
  for (size_t i = 0; i < tree.size(); ++i) {
    const TreeEntry& entry = tree[i];
    RETURN_IF_ERROR(CheckEntryName(entry.name));
    if (i > 0 && entry.name == tree[i - 1].name) {
      return InvalidArgument(fmt::format("{} is twice in one folder", Quoted(entry.name)));
    }
    if (entry.size_bytes < 0) {
      return InvalidArgument(fmt::format("{} has a negative size", Quoted(entry.name)));
    }
    if (entry.size_bytes > std::numeric_limits<int64_t>::max() - total_bytes) {
      return InvalidArgument(fmt::format("the sizes up to {} overflow", Quoted(entry.name)));
    }
    total_bytes += entry.size_bytes;
    fmt::format_to(std::back_inserter(bytes), "{} {} {} {}\n", ObjectKindName(entry.kind),
                   entry.digest.ToHex(), entry.size_bytes, entry.name);
  }
  if (static_cast<int64_t>(bytes.size()) > kMaxTreeBytes) {
    return InvalidArgument(
        fmt::format("a folder of {} entries is too large; spread it over several", tree.size()));
  }
  return bytes;
}

Result<Tree> DecodeTree(std::string_view bytes) {
  if (!bytes.starts_with(kTreeHeader)) return DataLoss("a tree must begin with 'sluice-tree 1'");
  bytes.remove_prefix(kTreeHeader.size());
  Tree tree;
  tree.reserve(bytes.size() / (kHexDigits + 20));
  int64_t total_bytes = 0;
  for (int line = 2; !bytes.empty(); ++line) {
    auto refuse = [&](std::string_view why) {
      return DataLoss(fmt::format("line {} of a tree: {}", line, why));
    };
    std::optional<std::string_view> text = TakeUntil(bytes, '\n');
    if (!text) return refuse("its end is missing");
    Result<TreeEntry> entry = DecodeEntry(*text);
    if (!entry.ok()) return refuse(entry.error().message());
    if (!tree.empty() && tree.back().name >= entry->name) {
      return refuse(fmt::format("{} is out of order", Quoted(entry->name)));
    }
    if (entry->size_bytes > std::numeric_limits<int64_t>::max() - total_bytes)
      return refuse("sizes overflow");
    total_bytes += entry->size_bytes;
    tree.push_back(*std::move(entry));
  }
  return tree;
}

int64_t TotalSizeBytes(const Tree& tree) {
  int64_t total = 0;
  for (const TreeEntry& entry : tree) total += entry.size_bytes;
  return total;
}

Result<Stored> IdentifyTree(Tree tree) {
  ASSIGN_OR_RETURN(std::string bytes, EncodeTree(tree));
  return Stored{{ObjectKind::kTree, ComputeSha256(bytes)}, TotalSizeBytes(tree)};
}

}  // namespace sluice::objects
