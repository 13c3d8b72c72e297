// The words of the store: objects and trees. Values; everything here is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"

namespace sluice::objects {

/// What a path becomes in the store. Permission bits other than "may be executed", owners and times
/// are not kept, so that equal content has equal digests on every machine.
enum class ObjectKind : uint8_t { kFile, kExecutable, kTree };

/// "file", "exec", "tree". Persisted in trees and databases: never change.
std::string_view ObjectKindName(ObjectKind kind);
/// Errors: kInvalidArgument.
Result<ObjectKind> ParseObjectKind(std::string_view name);

/// A file or folder by its content. Text form "file:<64 hex>", "exec:..." or "tree:...".
struct ObjectId {
  ObjectKind kind = ObjectKind::kFile;
  Digest digest;

  bool is_tree() const { return kind == ObjectKind::kTree; }
  std::string ToString() const;
  /// Errors: kInvalidArgument.
  static Result<ObjectId> Parse(std::string_view text);

  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

/// An ObjectId and how many bytes of file content are in it (for a tree: in all files below it).
struct Stored {
  ObjectId id;
  int64_t size_bytes = 0;

  friend bool operator==(const Stored&, const Stored&) = default;
};

struct TreeEntry {
  std::string name;
  ObjectKind kind = ObjectKind::kFile;
  Digest digest;
  int64_t size_bytes = 0;  ///< of the file, or of all files in the subtree

  friend bool operator==(const TreeEntry&, const TreeEntry&) = default;
};

/// One folder: entries sorted bytewise by name, each name once.
using Tree = std::vector<TreeEntry>;

inline constexpr int64_t kMaxTreeBytes = int64_t{1} << 28;  ///< of one folder's list
inline constexpr size_t kMaxNameBytes = 255;
inline constexpr int kMaxTreeDepth = 128;

/// A name that may stand in a tree: 1 to 255 bytes, not "." or "..", without '/', and without
/// control characters (bytes below 0x20, 0x7f). Errors: kInvalidArgument naming it.
Status CheckEntryName(std::string_view name);

/// The canonical bytes of a tree, which are its object. One tree has one text and the reverse:
///
///     sluice-tree 1\n
///     <kind> <64 hex digits> <size in decimal> <name>\n      once for each entry, sorted by name
///
/// Errors: kInvalidArgument for a bad or repeated name, or a negative size. Sorts.
Result<std::string> EncodeTree(Tree tree);
/// The inverse; refuses every text that EncodeTree would not have written. Errors: kDataLoss naming
/// the line.
Result<Tree> DecodeTree(std::string_view bytes);

/// The sum of the entries' sizes.
int64_t TotalSizeBytes(const Tree& tree);
/// What a folder with these entries would be in the store: for several inputs that must have one
/// digest.
Result<Stored> IdentifyTree(Tree tree);

}  // namespace sluice::objects
