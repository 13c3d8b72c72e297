#include "sql/testing/test_database.h"

#include <cstdlib>

#include "base/check.h"
#include "base/id.h"
#include "base/testing/scratch_folder.h"
#include "sql/open.h"

namespace sluice::sql {
namespace {

/// One statement, on the database that the variable names.
void RunOnServer(const std::string& statement) {
  std::unique_ptr<Db> server = OpenDatabase(std::getenv("SLUICE_TEST_POSTGRES")).value();
  Status status = server->Write([&](Tx& tx) { return tx.RunScript("test schema", statement); },
                                WriteOptions{.scope = statement});
  CHECK_MSG(status.ok(), status.error().ToString());
}

}  // namespace

std::unique_ptr<TestDatabase> TestDatabase::Make(TestEngine engine) {
  std::unique_ptr<TestDatabase> database(new TestDatabase);
  if (engine == TestEngine::kSqliteMemory) {
    database->uri_ = "sqlite://";
  } else if (engine == TestEngine::kSqliteFile) {
    auto folder = std::make_shared<ScratchFolder>();
    database->uri_ = "sqlite:///" + folder->Join("test.db");
    database->folder_ = std::move(folder);
  } else {
    const char* uri = std::getenv("SLUICE_TEST_POSTGRES");
    if (uri == nullptr || *uri == '\0') return nullptr;
    database->schema_ = "test_" + NewRandomHex(12);
    RunOnServer("CREATE SCHEMA " + database->schema_);
    database->uri_ = uri;
    database->uri_ += database->uri_.find('?') == std::string::npos ? '?' : '&';
    database->uri_ += "options=-csearch_path%3D" + database->schema_;
  }
  return database;
}

TestDatabase::~TestDatabase() {
  if (!schema_.empty()) RunOnServer("DROP SCHEMA " + schema_ + " CASCADE");
}

std::unique_ptr<Db> TestDatabase::Open() const {
  Result<std::unique_ptr<Db>> db =
      OpenDatabase(uri_, {.minimum_durability = io::Durability::kFast});
  CHECK_MSG(db.ok(), db.error().ToString());
  return *std::move(db);
}

std::shared_ptr<Db> OpenTestDb(TestEngine engine) {
  std::shared_ptr<TestDatabase> database = TestDatabase::Make(engine);
  if (database == nullptr) return nullptr;
  std::unique_ptr<Db> db = database->Open();
  Db* raw = db.release();
  return {raw, [database](Db* opened) { delete opened; }};
}

}  // namespace sluice::sql
