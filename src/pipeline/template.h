// Texts with references in them: "--depth=${params.depth}". The only substitution in a pipeline
// file; all functions here are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::pipeline {

/// A part of a Template: plain text, or what a `${...}` names.
struct Piece {
  enum class Kind : uint8_t {
    kText,    ///< `text` itself
    kParam,   ///< ${params.NAME}; `text` is NAME, here and below
    kInput,   ///< ${inputs.NAME}: the path of an input, known when an attempt starts
    kOutput,  ///< ${outputs.NAME}: the path of an output
    kSeed,    ///< ${seed}
  };
  Kind kind = Kind::kText;
  std::string text;
  size_t offset = 0;  ///< where the piece begins in the text as written, in bytes

  friend bool operator==(const Piece&, const Piece&) = default;
};

/// A parsed text. No two neighbouring pieces are kText; empty text has no pieces.
struct Template {
  std::vector<Piece> pieces;

  /// It is exactly one reference, so that a value keeps its type.
  bool is_whole_reference() const {
    return pieces.size() == 1 && pieces[0].kind != Piece::Kind::kText;
  }
  bool has_references() const;

  friend bool operator==(const Template&, const Template&) = default;
};

/// A text that could not be parsed: what is wrong and at which byte of it.
struct TemplateError {
  std::string message;
  size_t offset = 0;
};

/// Parses `text`. "$${" stands for a literal "${"; any other "$" is plain text. On failure (a
/// reference that is not closed, or of none of the four forms) fills `error` and returns nothing
/// useful. Whether the name exists is not looked at. O(bytes).
Template ParseTemplate(std::string_view text, std::optional<TemplateError>* error);

/// `text` with every "${" doubled to "$${": the inverse of parsing plain text.
std::string EscapeTemplate(std::string_view text);

}  // namespace sluice::pipeline
