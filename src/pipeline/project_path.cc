#include <fmt/format.h>

#include "pipeline/parse.h"

namespace sluice::pipeline {

namespace {

Error Refused(std::string_view path, std::string_view why) {
  return InvalidArgument(fmt::format("'{}' {}", path.substr(0, 80), why));
}

bool HasDriveLetter(std::string_view path) {
  bool is_letter =
      !path.empty() && ((path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z'));
  return is_letter && path.size() >= 2 && path[1] == ':';
}

}  // namespace

Result<std::string> CheckProjectPath(std::string_view path, bool allow_glob) {
  if (path.empty()) return InvalidArgument("a path is empty");
  if (path.size() > static_cast<size_t>(kMaxPathBytes)) {
    return Refused(path, fmt::format("... is longer than {} bytes", kMaxPathBytes));
  }
  for (char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return Refused(path.substr(0, path.find(c)),
                     "is followed by a control character, which no path may hold");
    }
  }
  if (path.find("://") != path.npos) {
    return Refused(
        path,
        "is outside the project; fetch it into the project (a `run:` step can) and name that file");
  }
  if (path.find('\\') != path.npos)
    return Refused(path, "holds a backslash; write / between folders");
  if (path[0] == '/' || HasDriveLetter(path)) {
    return Refused(path,
                   "is an absolute path, which holds on one machine only; write it relative to the "
                   "project's folder");
  }
  if (path[0] == '~') return Refused(path, "is in a home folder; put the file into the project");
  if (!allow_glob && path.find_first_of("*?[") != path.npos) {
    return Refused(path, "has *, ? or [, and must be one file or folder here");
  }
  std::string normal;
  std::string_view rest = path;
  while (!rest.empty()) {
    std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part == "..")
      return Refused(path, "leaves the project's folder with '..'; put the file into the project");
    if (normal.empty() && (part == ".sluice" || part == ".git")) {
      return Refused(
          path, fmt::format("is in {}, which is not for pipelines; put the file elsewhere", part));
    }
    if (!normal.empty()) normal += '/';
    normal += part;
  }
  if (normal.empty())
    return Refused(path, "is the project's folder itself; name a file or folder in it");
  return normal;
}

}  // namespace sluice::pipeline
