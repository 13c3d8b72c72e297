// "Did you mean ...?" for misspelt names. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, case ignored: the
/// optimal string alignment distance. O(len a * len b).
size_t EditDistance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, if it is near enough to be what was meant (at most a third of
/// the longer name's length, rounded up); the first among equals.
std::optional<std::string> NearestName(std::string_view name,
                                       std::span<const std::string> candidates);

/// "; did you mean 'x'?" or the empty string, to put at the end of a message.
std::string DidYouMean(std::string_view name, std::span<const std::string> candidates);

}  // namespace sluice
