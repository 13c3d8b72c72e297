// The little XML that S3 answers with: elements and text. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::objects::internal {

struct XmlElement {
  std::string name;  ///< without a namespace's prefix
  std::string text;  ///< of its own, entities replaced, without that of its children
  std::vector<XmlElement> children;

  /// The first child of that name, or null.
  const XmlElement* Find(std::string_view child) const;
  /// The text of the first child of that name, or empty.
  std::string_view TextOf(std::string_view child) const;
};

/// The root element. Attributes, comments and processing instructions are passed over; document
/// types, which may define entities, are refused. Errors: kDataLoss for what is no such XML, nested
/// deeper than 16 or of more than a million elements.
Result<XmlElement> ParseXml(std::string_view text);

/// "&", "<", ">", quotes and control bytes as references.
std::string EscapeXml(std::string_view text);

}  // namespace sluice::objects::internal
