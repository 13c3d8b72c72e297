#include "sql/postgres.h"

#include <algorithm>
#include <utility>

#include "sql/internal/postgres_connection.h"
#include "sql/internal/postgres_uri.h"

namespace sluice::sql {
namespace {

class PostgresDriver : public Driver {
 public:
  PostgresDriver(internal::PostgresAddress address, const PostgresOptions& options)
      : address_(std::move(address)), options_(options) {}

  Result<std::unique_ptr<Connection>> Connect() override {
    return internal::ConnectPostgres(address_, options_);
  }
  bool has_separate_readers() const override { return true; }
  bool has_one_writer() const override { return false; }
  bool defers_errors() const override { return true; }
  bool can_sync_later() const override { return true; }
  bool can_back_up() const override { return false; }
  std::string description() const override { return address_.description; }

 private:
  const internal::PostgresAddress address_;
  const PostgresOptions options_;
};

}  // namespace

Result<std::unique_ptr<Db>> OpenPostgres(std::string_view uri, const PostgresOptions& options) {
  ASSIGN_OR_RETURN(internal::PostgresAddress address, internal::ParsePostgresUri(uri));
  int half = std::clamp(options.connection_count / 2, 1, 64);
  auto db = std::make_unique<Db>(std::make_unique<PostgresDriver>(std::move(address), options),
                                 Db::Options{.reader_count = half, .writer_count = half});
  // One connection is opened now, so that a wrong address is an error here and not later.
  RETURN_IF_ERROR(db->HasTable("schema_migrations"));
  return db;
}

}  // namespace sluice::sql
