// URIs taken apart as Python's urllib does, for that is what MLflow's rules are about. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::registry::internal {

struct Uri {
  std::string scheme;     ///< lower case, or empty
  std::string authority;  ///< "user@Host:80", or empty
  std::string path;       ///< without parameters, query and fragment
};
Uri SplitUri(std::string_view text);

/// Of an authority: "user:secret@HOST:80" → {"host", 80}.
struct HostAndPort {
  std::string host;  ///< lower case, without brackets
  std::optional<int> port;
  bool is_malformed = false;
};
HostAndPort SplitAuthority(std::string_view authority);

/// %XX decoded once; with `plus_is_space` '+' too. What is no escape stays.
std::string Unquote(std::string_view text, bool plus_is_space);
/// Decoded until nothing changes.
std::string UnquoteWholly(std::string_view text, bool plus_is_space);

/// The parts of a path, "." and empty ones left out, ".." undone (not past the root).
std::vector<std::string> NormalParts(std::string_view path);
/// Whether `path` is `root` or lies below.
bool IsWithin(const std::vector<std::string>& path, const std::vector<std::string>& root);

}  // namespace sluice::registry::internal
