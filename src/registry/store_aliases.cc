// Aliases and the log of their moves. The table of aliases says where each is; the log says how it
// got there, and undoing reads the log.
#include <fmt/format.h>

#include "registry/internal/outbox.h"
#include "registry/internal/rules.h"
#include "registry/internal/sql_store.h"

namespace sluice::registry::internal {
namespace {

using formats::Json;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kFind{"registry.find_alias",
                      "SELECT version FROM model_aliases WHERE name = $1 AND alias = $2"};
constexpr Query kSet{"registry.set_alias",
                     "INSERT INTO model_aliases (name, alias, version) VALUES ($1, $2, $3) "
                     "ON CONFLICT (name, alias) DO UPDATE SET version = excluded.version"};
constexpr Query kRemove{"registry.remove_alias",
                        "DELETE FROM model_aliases WHERE name = $1 AND alias = $2"};
constexpr Query kListOfModel{"registry.list_aliases",
                             "SELECT alias, version FROM model_aliases WHERE name = $1 AND "
                             "(version = $2 OR $2 = 0) ORDER BY alias"};
constexpr Query kHasVerdict{
    "registry.has_verdict",
    "SELECT 1 FROM model_versions WHERE name = $1 AND verdict <> 0 LIMIT 1"};
constexpr Query kInsertMove{
    "registry.log_alias_move",
    "INSERT INTO alias_moves (move_number, name, alias, from_version, to_version, undoes_move, "
    "is_forced, user_id, reason, at_ms, life) SELECT COALESCE(MAX(move_number), 0) + 1, $1, $2, "
    "CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), $7, $8, "
    "CAST($9 AS BIGINT), (SELECT life FROM registered_models WHERE name = $1) FROM alias_moves "
    "RETURNING move_number"};
constexpr Query kListMoves{
    "registry.list_alias_moves",
    "SELECT move_number, name, alias, from_version, to_version, at_ms, user_id, reason, "
    "is_forced FROM alias_moves WHERE life = $1 AND (alias = $2 OR $2 = '') "
    "ORDER BY move_number DESC"};
// The newest move that neither undoes another nor was undone.
constexpr Query kFindToUndo{"registry.find_alias_move_to_undo",
                            "SELECT move_number, from_version, to_version FROM alias_moves m "
                            "WHERE life = $1 AND alias = $2 AND undoes_move IS NULL AND NOT EXISTS "
                            "(SELECT 1 FROM alias_moves u WHERE u.life = $1 AND u.alias = $2 "
                            "AND u.undoes_move = m.move_number) ORDER BY move_number DESC LIMIT 1"};

AliasMove MoveFromRow(const Row& row) {
  return {.number = row.GetInt64(0),
          .name = row.GetText(1),
          .alias = row.GetText(2),
          .from_version = row.FindInt64(3),
          .to_version = row.FindInt64(4),
          .at_ms = row.GetInt64(5),
          .user_id = row.GetText(6),
          .reason = row.GetText(7),
          .is_forced = row.GetBool(8)};
}

/// Moves the alias from where it is to `move.to_version`, logs it and tells the webhooks.
Result<AliasMove> Move(Tx& tx, AliasMove move, std::optional<int64_t> undoes_move) {
  if (move.to_version) {
    RETURN_IF_ERROR(tx.Execute(kSet, {move.name, move.alias, *move.to_version}));
  } else {
    RETURN_IF_ERROR(tx.Execute(kRemove, {move.name, move.alias}));
  }
  ASSIGN_OR_RETURN(auto number,
                   tx.FindOne(kInsertMove,
                              {move.name, move.alias, move.from_version, move.to_version,
                               undoes_move, move.is_forced, move.user_id, move.reason, move.at_ms},
                              [](const Row& row) { return row.GetInt64(0); }));
  move.number = number.value_or(0);
  RETURN_IF_ERROR(
      EmitIn(tx, move.name, move.to_version ? kAliasSet : kAliasDeleted, move.at_ms, [&](bool) {
        Json data = Json::MakeObject({{"name", move.name}, {"alias", move.alias}});
        if (move.to_version) data["version"] = std::to_string(*move.to_version);
        return data;
      }));
  return move;
}

/// May the alias be set? And is that against the verdict, by force? Errors: see CheckPromotion.
Result<bool> IsForcedIn(Reader& reader, const ModelVersion& version, const AliasChange& change) {
  if (change.alias == kChampion && change.gate_rule == GateRule::kWhereGatesAre && !change.force) {
    ASSIGN_OR_RETURN(
        std::optional<int64_t> has_verdict,
        reader.FindOne(kHasVerdict, {change.name}, [](const Row& row) { return row.GetInt64(0); }));
    if (!has_verdict) return false;
  }
  RETURN_IF_ERROR(CheckPromotion(version, change));
  return change.alias == kChampion && version.verdict != Verdict::kPass;
}

}  // namespace

Status RemoveAliasesIn(Tx& tx, std::string_view name, std::optional<int64_t> version,
                       std::string_view reason, int64_t now_ms) {
  ASSIGN_OR_RETURN(std::vector<Alias> aliases,
                   tx.FindAll(kListOfModel, {name, version.value_or(0)}, [](const Row& row) {
                     return Alias{row.GetText(0), row.GetInt64(1)};
                   }));
  for (Alias& alias : aliases) {
    RETURN_IF_ERROR(Move(tx,
                         {.number = 0,
                          .name = std::string(name),
                          .alias = std::move(alias.alias),
                          .from_version = alias.version,
                          .to_version = std::nullopt,
                          .at_ms = now_ms,
                          .user_id = {},
                          .reason = std::string(reason),
                          .is_forced = false},
                         std::nullopt));
  }
  return Ok();
}

Result<std::optional<int64_t>> FindAliasIn(Reader& reader, std::string_view name,
                                           std::string_view alias) {
  return reader.FindOne(kFind, {name, alias}, [](const Row& row) { return row.GetInt64(0); });
}

Result<AliasMove> SqlStore::SetAlias(const AliasChange& change) {
  RETURN_IF_ERROR(CheckAlias(change.alias));
  return db_.Write([&](Tx& tx) -> Result<AliasMove> {
    ASSIGN_OR_RETURN(ModelVersion version, GetLiveVersionIn(tx, change.name, change.version));
    ASSIGN_OR_RETURN(bool is_forced, IsForcedIn(tx, version, change));
    ASSIGN_OR_RETURN(std::optional<int64_t> current, FindAliasIn(tx, change.name, change.alias));
    AliasMove move{.number = 0,
                   .name = change.name,
                   .alias = change.alias,
                   .from_version = current,
                   .to_version = change.version,
                   .at_ms = clock_.NowMs(),
                   .user_id = change.user_id,
                   .reason = change.reason,
                   .is_forced = is_forced};
    if (current == change.version) return move;
    return Move(tx, std::move(move), std::nullopt);
  });
}

Result<AliasMove> SqlStore::RemoveAlias(std::string_view name, std::string_view alias,
                                        std::string_view user_id, std::string_view reason) {
  RETURN_IF_ERROR(CheckAliasText(alias));
  return db_.Write([&](Tx& tx) -> Result<AliasMove> {
    RETURN_IF_ERROR(FindLifeIn(tx, name));
    ASSIGN_OR_RETURN(std::optional<int64_t> current, FindAliasIn(tx, name, alias));
    if (!current) return NotFound(fmt::format("Registered model alias {} not found.", alias));
    return Move(tx,
                {.number = 0,
                 .name = std::string(name),
                 .alias = std::string(alias),
                 .from_version = current,
                 .to_version = std::nullopt,
                 .at_ms = clock_.NowMs(),
                 .user_id = std::string(user_id),
                 .reason = std::string(reason),
                 .is_forced = false},
                std::nullopt);
  });
}

Result<AliasMove> SqlStore::UndoAlias(std::string_view name, std::string_view alias,
                                      std::string_view user_id, std::string_view reason) {
  struct Undoable {
    int64_t number;
    std::optional<int64_t> from_version;
  };
  return db_.Write([&](Tx& tx) -> Result<AliasMove> {
    ASSIGN_OR_RETURN(const std::string life, FindLifeIn(tx, name));
    ASSIGN_OR_RETURN(auto last, tx.FindOne(kFindToUndo, {life, alias}, [](const Row& row) {
      return Undoable{row.GetInt64(0), row.FindInt64(1)};
    }));
    if (!last) {
      return FailedPrecondition(
          fmt::format("alias '{}' of model '{}' has no move to undo", alias, name));
    }
    bool is_forced = false;
    if (last->from_version) {
      ASSIGN_OR_RETURN(ModelVersion version, GetVersionIn(tx, name, *last->from_version));
      if (version.is_deleted) {
        return FailedPrecondition(
            fmt::format("alias '{}' of model '{}' cannot go back to version {}: that is deleted",
                        alias, name, version.version));
      }
      // It was champion before, by force; so it is again.
      is_forced = alias == kChampion && version.verdict != Verdict::kPass;
    }
    ASSIGN_OR_RETURN(std::optional<int64_t> current, FindAliasIn(tx, name, alias));
    return Move(tx,
                {.number = 0,
                 .name = std::string(name),
                 .alias = std::string(alias),
                 .from_version = current,
                 .to_version = last->from_version,
                 .at_ms = clock_.NowMs(),
                 .user_id = std::string(user_id),
                 .reason = std::string(reason),
                 .is_forced = is_forced},
                last->number);
  });
}

Result<std::vector<AliasMove>> SqlStore::ListAliasMoves(std::string_view name,
                                                        std::string_view alias) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<AliasMove>> {
    ASSIGN_OR_RETURN(const std::string life, FindLifeIn(reader, name));
    return reader.FindAll(kListMoves, {life, alias}, MoveFromRow);
  });
}

Result<ModelVersion> SqlStore::GetVersionByAlias(std::string_view name, std::string_view alias) {
  RETURN_IF_ERROR(CheckAliasText(alias));
  return db_.Read([&](Reader& reader) -> Result<ModelVersion> {
    if (EqualsIgnoringCase(alias, "latest")) {
      ASSIGN_OR_RETURN(RegisteredModel model, GetModelIn(reader, name));
      if (model.latest_version == 0)
        return NotFound(fmt::format("Latest version not found for model {}.", name));
      return GetVersionIn(reader, name, model.latest_version);
    }
    RETURN_IF_ERROR(FindLifeIn(reader, name));
    ASSIGN_OR_RETURN(std::optional<int64_t> number, FindAliasIn(reader, name, alias));
    if (!number) return InvalidArgument(fmt::format("Registered model alias {} not found.", alias));
    return GetVersionIn(reader, name, *number);
  });
}

Result<std::optional<ModelVersion>> SqlStore::FindByAlias(std::string_view name,
                                                          std::string_view alias) {
  return db_.Read([&](Reader& reader) -> Result<std::optional<ModelVersion>> {
    ASSIGN_OR_RETURN(std::optional<int64_t> number, FindAliasIn(reader, name, alias));
    if (!number) return std::optional<ModelVersion>();
    ASSIGN_OR_RETURN(ModelVersion version, GetVersionIn(reader, name, *number));
    return std::optional(std::move(version));
  });
}

}  // namespace sluice::registry::internal
