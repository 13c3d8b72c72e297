#include <unistd.h>

#include <cerrno>
#include <climits>

#include "io/fs.h"

namespace sluice::io {

std::string JoinPath(std::string_view base, std::string_view tail) {
  if (base.empty() || (!tail.empty() && tail.front() == '/')) return std::string(tail);
  std::string path(base);
  if (path.back() != '/') path += '/';
  return path.append(tail);
}

std::string DirName(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string BaseName(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos || path == "/" ? path
                                                                    : path.substr(slash + 1));
}

namespace {

/// The components joined by '/', "." and ".." resolved; nothing if ".." leads above the start.
std::optional<std::string> Normalise(std::string_view path) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  while (begin <= path.size()) {
    size_t end = std::min(path.find('/', begin), path.size());
    std::string_view part = path.substr(begin, end - begin);
    if (part == "..") {
      if (parts.empty()) return std::nullopt;
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  std::string joined;
  for (std::string_view part : parts) {
    if (!joined.empty()) joined += '/';
    joined += part;
  }
  return joined;
}

}  // namespace

std::optional<std::string> NormalRelativePath(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::optional<std::string> normal = Normalise(path);
  if (normal && normal->empty()) return ".";
  return normal;
}

Result<std::string> AbsolutePath(std::string_view path) {
  std::string whole(path);
  if (path.empty() || path.front() != '/') {
    char current[PATH_MAX];
    if (getcwd(current, sizeof current) == nullptr)
      return ErrnoError(errno, "get", "current directory");
    whole = JoinPath(current, path);
  }
  // "/.." is "/": going above the root stays there.
  std::string_view rest = whole;
  std::string normal;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('/'), rest.size());
    std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part == "..") {
      normal.erase(std::min(normal.rfind('/'), normal.size()));
    } else if (!part.empty() && part != ".") {
      normal += '/';
      normal += part;
    }
  }
  return normal.empty() ? "/" : normal;
}

}  // namespace sluice::io
