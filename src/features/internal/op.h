// One operation of a chain, and the table of all of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/internal/block.h"
#include "features/spec.h"
#include "formats/json.h"

namespace sluice::features::internal {

/// A fitted operation. Immutable: thread-safe.
class Op {
 public:
  virtual ~Op() = default;
  /// Transforms the block in place; its kind and width are those the operation was fitted or loaded
  /// with. Errors: kInvalidArgument for a value that the declaration forbids (an unknown category).
  virtual Status Apply(Block& block) const = 0;
  /// What the signature becomes.
  virtual void Advance(Signature& signature) const = 0;
  /// Fitted values as members of an object (the table adds "op").
  virtual formats::Json ToJson() const = 0;
};

using OpResult = Result<std::unique_ptr<Op>>;

struct FitContext {
  const Signature& signature;
  const formats::Json& argument;
  std::vector<std::string>& warnings;  ///< whole sentences that name the column
};

struct OpKind {
  std::string_view name;
  bool takes_numbers, takes_text, takes_time;
  OpHelp help;
  /// Checks the argument's shape alone.
  Status (*check)(const formats::Json& argument);
  /// `block` holds the whole training column as the operations before have left it.
  OpResult (*fit)(const Block& block, const FitContext& context);
  /// `json` is what ToJson printed, or anything else: it is untrusted.
  OpResult (*load)(const formats::Json& json, const Signature& signature);

  bool Takes(ValueKind kind) const {
    return kind == ValueKind::kNumbers ? takes_numbers
           : kind == ValueKind::kText  ? takes_text
                                       : takes_time;
  }
};

/// In the reference's order. Lives as long as the program.
const std::vector<OpKind>& OpKinds();
/// Errors: kInvalidArgument for an unknown name, with a suggestion.
Result<const OpKind*> FindOpKind(std::string_view name);

// One row each, defined in ops/<name>.cc.
OpKind KeepKind();
OpKind ImputeKind();
OpKind ScaleKind();
OpKind ClipKind();
OpKind LogKind();
OpKind BinKind();
OpKind OneHotKind();
OpKind OrdinalKind();
OpKind HashKind();
OpKind DateKind();

}  // namespace sluice::features::internal
