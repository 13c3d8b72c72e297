// Who may call a row of the table. Every endpoint names one of these forms; the dispatcher checks
// it before the handler runs, so a row cannot forget to.
//
//   Access::Public()                          anybody, signed in or not
//   Access::SignedIn()                        any user (everybody where there are no users)
//   Access::Creates()                         any user, but no read-only or limited token
//   Access::Admin()                           administrators
//   Access::Needs(Level::kEdit, RunFromCall)  that level on each resource that the finder names
//
// Whoever has users implements Authorization and Caller (authorization.h); a server without
// them has OpenCaller, who may do everything.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace sluice::api {

struct Services;
struct Call;

/// What a call does to a resource, weakest first. Each includes those before it.
enum class Level : uint8_t { kRead, kUse, kEdit, kManage };

enum class ResourceKind : uint8_t { kExperiment, kRegisteredModel, kWorkspace };

/// Runs, logged models, artifacts and traces stand under their experiment; versions under their
/// registered model.
struct Resource {
  ResourceKind kind = ResourceKind::kExperiment;
  std::string id;  ///< experiment id, or name of the registered model; "*" for the workspace
  /// What of it is touched: "run", "logged_model" (of experiments), "registered_model_version" (of
  /// models). Grants on all of these may say more or less than those on what they stand under,
  /// which must be readable in any case. Empty: the resource itself. A constant.
  std::string_view part = {};
  /// What the call needs here, if not what its row says: copying from one resource into another.
  std::optional<Level> needs = std::nullopt;
  friend bool operator==(const Resource&, const Resource&) = default;
};

/// The resources that a call touches: all of them need the level. None: nothing to protect (the
/// handler will refuse the call for another reason). Errors go to the client as the handler's would
/// (kNotFound for a run that does not exist). Only called where there are users. Thread-safe.
using ResourceFinder = Result<std::vector<Resource>> (*)(Services& services, Call& call);

class Access {
 public:
  enum class Form : uint8_t { kPublic, kSignedIn, kCreates, kAdmin, kLevel };

  static constexpr Access Public() { return Access(Form::kPublic, Level::kRead, nullptr); }
  static constexpr Access SignedIn() { return Access(Form::kSignedIn, Level::kRead, nullptr); }
  static constexpr Access Creates() { return Access(Form::kCreates, Level::kManage, nullptr); }
  static constexpr Access Admin() { return Access(Form::kAdmin, Level::kManage, nullptr); }
  static constexpr Access Needs(Level level, ResourceFinder finder) {
    return Access(Form::kLevel, level, finder);
  }

  Form form() const { return form_; }
  Level level() const { return level_; }
  ResourceFinder finder() const { return finder_; }

 private:
  constexpr Access(Form form, Level level, ResourceFinder find)
      : form_(form), level_(level), finder_(find) {}

  Form form_;
  Level level_;
  ResourceFinder finder_;
};

/// Who sent one request. One thread at a time; made for one request and gone with it.
class Caller {
 public:
  virtual ~Caller() = default;

  virtual std::string_view username() const = 0;  ///< empty where there are no users
  virtual bool is_admin() const = 0;
  /// Cheap after its first call of a request: searches ask it for each row. Errors: those of the
  /// store of permissions.
  virtual Result<bool> May(Level level, const Resource& resource) = 0;
  /// May read everything of that kind: searches then skip asking.
  virtual Result<bool> MayReadAll(ResourceKind kind) = 0;

  // What handlers tell after they made, renamed or removed something, so that grants follow it: the
  // creator gets MANAGE.
  virtual Status OnCreated(const Resource& resource) = 0;
  virtual Status OnRenamed(const Resource& resource, std::string_view new_id) = 0;
  virtual Status OnDeleted(const Resource& resource) = 0;
};

/// For a server without users.
class OpenCaller final : public Caller {
 public:
  std::string_view username() const override { return {}; }
  bool is_admin() const override { return true; }
  Result<bool> May(Level, const Resource&) override { return true; }
  Result<bool> MayReadAll(ResourceKind) override { return true; }
  Status OnCreated(const Resource&) override { return Ok(); }
  Status OnRenamed(const Resource&, std::string_view) override { return Ok(); }
  Status OnDeleted(const Resource&) override { return Ok(); }
};

/// The door. Thread-safe.
class Authorization {
 public:
  virtual ~Authorization() = default;

  /// Who asks: a caller, or the answer (401 with WWW-Authenticate, 429, ...). Called for every row
  /// but those with Access::Public, and for requests that no row answers (closed by default: what
  /// is unknown is 403 for all but administrators).
  struct Identity {
    std::unique_ptr<Caller> caller;         ///< null: refused
    std::optional<http::Response> refusal;  ///< set exactly when `caller` is null
  };
  virtual Identity Identify(const http::Request& request) = 0;

  /// Nothing, or the answer that refuses the call. `call.caller` is who Identify found.
  virtual std::optional<http::Response> Check(Services& services, const Access& access,
                                              Call& call) = 0;
};

}  // namespace sluice::api
