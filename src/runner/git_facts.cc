#include "runner/git_facts.h"

#include <git2.h>

#include <fmt/format.h>

#include <memory>

namespace sluice::runner {
namespace {

/// libgit2 counts its users; one object of this type is one.
class Library {
 public:
  Library() { git_libgit2_init(); }
  ~Library() { git_libgit2_shutdown(); }
};

template <typename T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* pointer) const { kFree(pointer); }
};
using Repository = std::unique_ptr<git_repository, Freed<git_repository, git_repository_free>>;
using Reference = std::unique_ptr<git_reference, Freed<git_reference, git_reference_free>>;
using StatusList = std::unique_ptr<git_status_list, Freed<git_status_list, git_status_list_free>>;
using Remote = std::unique_ptr<git_remote, Freed<git_remote, git_remote_free>>;

Error GitError(std::string_view action, const std::string& folder) {
  const git_error* error = git_error_last();
  return Unavailable(fmt::format("{} of '{}': {}", action, folder,
                                 error != nullptr ? error->message : "unknown error"));
}

/// "https://user:token@host/x" → "https://host/x".
std::string WithoutCredentials(std::string url) {
  size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  size_t begin = scheme + 3;
  size_t end = std::min(url.find('/', begin), url.size());
  size_t at = url.rfind('@', end);
  if (at != std::string::npos && at >= begin && at < end) url.erase(begin, at + 1 - begin);
  return url;
}

}  // namespace

Result<std::optional<GitFacts>> ReadGitFacts(const std::string& folder) {
  Library library;
  git_repository* raw_repository = nullptr;
  int code = git_repository_open_ext(&raw_repository, folder.c_str(), 0, nullptr);
  if (code == GIT_ENOTFOUND) return std::optional<GitFacts>();
  if (code != 0) return GitError("open the git repository", folder);
  Repository repository(raw_repository);

  GitFacts facts;
  git_reference* raw_head = nullptr;
  code = git_repository_head(&raw_head, repository.get());
  if (code == 0) {
    Reference head(raw_head);
    if (const git_oid* commit = git_reference_target(head.get())) {
      char hex[GIT_OID_HEXSZ + 1] = {};
      git_oid_tostr(hex, sizeof hex, commit);
      facts.commit = hex;
    }
    if (git_reference_is_branch(head.get()) == 1)
      facts.branch = git_reference_shorthand(head.get());
  } else if (code != GIT_EUNBORNBRANCH && code != GIT_ENOTFOUND) {
    return GitError("read HEAD", folder);
  }

  if (git_repository_is_bare(repository.get()) == 0) {
    git_status_options options = GIT_STATUS_OPTIONS_INIT;
    options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
    options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
    git_status_list* raw_changes = nullptr;
    if (git_status_list_new(&raw_changes, repository.get(), &options) != 0) {
      return GitError("read the changes", folder);
    }
    StatusList changes(raw_changes);
    facts.is_dirty = git_status_list_entrycount(changes.get()) > 0;
  }
  git_remote* raw_remote = nullptr;
  if (git_remote_lookup(&raw_remote, repository.get(), "origin") == 0) {
    Remote remote(raw_remote);
    if (const char* url = git_remote_url(remote.get())) facts.remote_url = WithoutCredentials(url);
  }
  return std::optional(facts);
}

}  // namespace sluice::runner
