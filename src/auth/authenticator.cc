// One request's way through: parse, look into the memory, else verify (throttled, once for all who
// ask the same at the same time), remember.
#include "auth/authenticator.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/random.h>

#include <array>
#include <future>
#include <optional>
#include <string>
#include <unordered_map>

#include "auth/credentials.h"
#include "auth/internal/throttle.h"
#include "base/check.h"
#include "base/guarded.h"
#include "base/hmac.h"
#include "base/log.h"
#include "base/sha256.h"

namespace sluice::auth {
namespace {

/// The password that MLflow published until 3.16: no administrator signs in with it, here as there.
constexpr std::string_view kPublishedPassword = "password1234";

Error Refused() { return PermissionDenied("You are not authenticated."); }

/// What was once verified.
struct Known {
  Principal principal;
  std::string password_hash;  ///< what the password was verified against; empty for a token
  int64_t verified_ms = 0;
  int64_t checked_ms = 0;             ///< the row was last read
  int64_t change_count = 0;           ///< of the store, when it was read
  std::optional<int64_t> expires_ms;  ///< of the token
};

using Outcome = Result<Principal>;
using WaitingByKey = std::unordered_map<Digest, std::shared_future<Outcome>>;

/// The one who verifies while others wait for the same. However it ends, nobody is left waiting.
class Turn {
 public:
  Turn(Guarded<WaitingByKey>& waiting, const Digest& key)
      : waiting_(waiting), key_(key), future_(promise_.get_future().share()) {}
  ~Turn() {
    if (!is_finished_) Finish(Unavailable("Signing in failed half-way. Try again."));
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void Finish(Outcome outcome) {
    is_finished_ = true;
    waiting_.With([&](WaitingByKey& waiting) { waiting.erase(key_); });
    promise_.set_value(std::move(outcome));
  }
  std::shared_future<Outcome> future() const { return future_; }

 private:
  Guarded<WaitingByKey>& waiting_;
  const Digest key_;
  std::promise<Outcome> promise_;
  std::shared_future<Outcome> future_;
  bool is_finished_ = false;
};

}  // namespace

class Authenticator::Impl {
 public:
  Impl(Store& store, PasswordHasher& hasher, Clock& clock, const Options& options)
      : store_(store),
        hasher_(hasher),
        clock_(clock),
        options_(options),
        throttle_({options.throttle_window_ms, options.throttle_count_max}) {
    CHECK(getrandom(key_.data(), key_.size(), 0) == static_cast<ssize_t>(key_.size()));
  }

  Result<Principal> Authenticate(std::string_view authorization, std::string_view peer) {
    const std::optional<Credentials> credentials = ParseAuthorization(authorization);
    if (!credentials) return Refused();
    const Digest key = KeyOf(*credentials);
    ASSIGN_OR_RETURN(std::optional<Principal> known, FindKnown(key, *credentials));
    if (known) {
      hit_count_.fetch_add(1, std::memory_order_relaxed);
      return *std::move(known);
    }
    return VerifyOnce(key, *credentials, peer);
  }

  Stats stats() const {
    return {.hit_count = hit_count_.load(),
            .verify_count = verify_count_.load(),
            .failure_count = failure_count_.load(),
            .throttled_count = throttled_count_.load()};
  }

 private:
  using KnownByKey = std::unordered_map<Digest, Known>;

  /// HMAC, so that the memory of this process has no password in it and no digest that could be
  /// looked up elsewhere.
  Digest KeyOf(const Credentials& credentials) const {
    std::string text(credentials.is_bearer ? "t" : "p");
    text += credentials.username;
    text += '\0';
    text += credentials.secret;
    const Digest key = ComputeHmacSha256(key_, text);
    OPENSSL_cleanse(text.data(), text.size());
    return key;
  }

  Result<std::optional<Principal>> FindKnown(const Digest& key, const Credentials& credentials) {
    if (options_.cache_ttl_ms == 0) return std::optional<Principal>();
    const int64_t now_ms = clock_.NowMs();
    const int64_t change_count = store_.change_count();
    std::optional<Known> stale;
    std::optional<Principal> fresh =
        known_.With([&](KnownByKey& known) -> std::optional<Principal> {
          const auto found = known.find(key);
          if (found == known.end()) return std::nullopt;
          Known& entry = found->second;
          if (now_ms >= entry.verified_ms + options_.cache_ttl_ms || now_ms < entry.verified_ms ||
              (entry.expires_ms && now_ms >= *entry.expires_ms)) {
            known.erase(found);
            return std::nullopt;
          }
          if (entry.change_count == change_count &&
              now_ms < entry.checked_ms + options_.recheck_interval_ms) {
            return entry.principal;
          }
          stale = entry;
          return std::nullopt;
        });
    if (fresh || !stale) return fresh;
    ASSIGN_OR_RETURN(std::optional<Known> renewed, Recheck(*stale, credentials));
    known_.With([&](KnownByKey& known) {
      if (!renewed) {
        known.erase(key);
      } else if (auto found = known.find(key); found != known.end()) {
        renewed->checked_ms = now_ms;
        renewed->change_count = change_count;
        found->second = *renewed;
      }
    });
    if (!renewed) return std::optional<Principal>();
    return std::optional(std::move(renewed->principal));
  }

  /// Reads the row again; nothing if what was verified holds no longer.
  Result<std::optional<Known>> Recheck(Known entry, const Credentials& credentials) {
    if (entry.principal.token_id) {
      ASSIGN_OR_RETURN(auto found, store_.FindToken(credentials.secret));
      if (!found) return std::optional<Known>();
      entry.principal = PrincipalOf(found->first, found->second);
      return std::optional(std::move(entry));
    }
    ASSIGN_OR_RETURN(const std::optional<User> user, store_.FindUserById(entry.principal.user_id));
    if (!user || user->username != entry.principal.username ||
        user->password_hash != entry.password_hash) {
      return std::optional<Known>();
    }
    entry.principal.is_admin = user->is_admin;
    return std::optional(std::move(entry));
  }

  /// Verifies, or waits for whoever already verifies the same.
  Outcome VerifyOnce(const Digest& key, const Credentials& credentials, std::string_view peer) {
    std::shared_future<Outcome> others;
    std::optional<Turn> turn;
    waiting_.With([&](WaitingByKey& waiting) {
      const auto [entry, is_new] = waiting.try_emplace(key);
      if (is_new) {
        turn.emplace(waiting_, key);
        entry->second = turn->future();
      } else {
        others = entry->second;
      }
    });
    if (!turn) return others.get();
    turn->Finish(Verify(key, credentials, peer));
    return turn->future().get();
  }

  Outcome Verify(const Digest& key, const Credentials& credentials, std::string_view peer) {
    const int64_t now_ms = clock_.NowMs();
    // Read before the rows, so that a change in between makes the entry stale.
    const int64_t change_count = store_.change_count();
    if (credentials.is_bearer || LooksLikeToken(credentials.secret)) {
      ASSIGN_OR_RETURN(auto found, store_.FindToken(credentials.secret));
      const bool is_named =
          found && (credentials.is_bearer || credentials.username == kTokenUsername ||
                    credentials.username == found->second.username);
      if (!is_named) {
        failure_count_.fetch_add(1, std::memory_order_relaxed);
        return Refused();
      }
      Principal principal = PrincipalOf(found->first, found->second);
      Remember(key, {.principal = principal,
                     .password_hash = {},
                     .verified_ms = now_ms,
                     .checked_ms = now_ms,
                     .change_count = change_count,
                     .expires_ms = found->first.expires_ms});
      return principal;
    }
    const std::array<std::string, 3> keys = ThrottleKeys(credentials.username, peer);
    RETURN_IF_ERROR(BeginAttempt(keys, now_ms));
    Result<std::optional<User>> user = FindByPassword(credentials);
    if (user.ok() && !*user) {
      failure_count_.fetch_add(1, std::memory_order_relaxed);
      return Refused();
    }
    for (const std::string& counted : keys) throttle_.TakeBack(counted);
    if (!user.ok()) return std::move(user).error();
    Principal principal{.user_id = (*user)->id,
                        .username = (*user)->username,
                        .is_admin = (*user)->is_admin,
                        .token_id = std::nullopt,
                        .scope = {}};
    Remember(key, {.principal = principal,
                   .password_hash = (*user)->password_hash,
                   .verified_ms = now_ms,
                   .checked_ms = now_ms,
                   .change_count = change_count,
                   .expires_ms = std::nullopt});
    return principal;
  }

  /// The user whose password this is; nothing for a wrong one, or a user there is not, after as
  /// much work.
  Result<std::optional<User>> FindByPassword(const Credentials& credentials) {
    ASSIGN_OR_RETURN(std::optional<User> user, store_.FindUser(credentials.username));
    verify_count_.fetch_add(1, std::memory_order_relaxed);
    if (!user) {
      RETURN_IF_ERROR(hasher_.VerifyNothing(credentials.secret));
      return std::optional<User>();
    }
    ASSIGN_OR_RETURN(const bool is_right, hasher_.Verify(credentials.secret, user->password_hash));
    if (!is_right) return std::optional<User>();
    if (user->is_admin && credentials.secret == kPublishedPassword) {
      Log(LogLevel::kWarning,
          "administrator '{}' was refused: the password is the one that older MLflow versions "
          "published; set another one with `sluice auth reset-password`",
          user->username);
      return std::optional<User>();
    }
    return user;
  }

  static Principal PrincipalOf(const ApiToken& token, const User& user) {
    return {.user_id = user.id,
            .username = user.username,
            .is_admin = user.is_admin,
            .token_id = token.id,
            .scope = token.scope};
  }

  void Remember(const Digest& key, Known entry) {
    if (options_.cache_ttl_ms == 0) return;
    known_.With([&](KnownByKey& known) {
      if (known.size() >= options_.cache_count_max) {
        std::erase_if(known, [&](const auto& old) {
          return entry.verified_ms >= old.second.verified_ms + options_.cache_ttl_ms;
        });
        if (known.size() >= options_.cache_count_max) known.clear();
      }
      known.insert_or_assign(key, std::move(entry));
    });
  }

  static std::array<std::string, 3> ThrottleKeys(std::string_view username, std::string_view peer) {
    return {fmt::format("pair {} {}", peer, username), fmt::format("user {}", username),
            fmt::format("peer {}", peer)};
  }

  Status BeginAttempt(const std::array<std::string, 3>& keys, int64_t now_ms) {
    const std::array<int, 3> limits = {options_.user_and_peer_failure_max,
                                       options_.user_failure_max, options_.peer_failure_max};
    for (size_t i = 0; i < keys.size(); ++i) {
      if (throttle_.Begin(keys[i], limits[i], now_ms)) continue;
      for (size_t j = 0; j < i; ++j) throttle_.TakeBack(keys[j]);
      throttled_count_.fetch_add(1, std::memory_order_relaxed);
      return ResourceExhausted(
          fmt::format("Too many failed attempts to sign in. Try again in {} seconds.",
                      options_.throttle_window_ms / 1000));
    }
    return Ok();
  }

  Store& store_;
  PasswordHasher& hasher_;
  Clock& clock_;
  const Options options_;
  std::string key_ = std::string(32, '\0');
  internal::Throttle throttle_;
  Guarded<KnownByKey> known_;
  Guarded<WaitingByKey> waiting_;
  std::atomic<int64_t> hit_count_{0}, verify_count_{0}, failure_count_{0}, throttled_count_{0};
};

Authenticator::Authenticator(Store& store, PasswordHasher& hasher, Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(store, hasher, clock, options)) {}
Authenticator::~Authenticator() = default;

Result<Principal> Authenticator::Authenticate(std::string_view authorization,
                                              std::string_view peer) {
  return impl_->Authenticate(authorization, peer);
}

Authenticator::Stats Authenticator::stats() const { return impl_->stats(); }

}  // namespace sluice::auth
