#include "sql/open.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing/scratch_folder.h"
#include "sql/internal/postgres_uri.h"

namespace sluice::sql {
namespace {

using internal::ParsePostgresUri;
using internal::PostgresAddress;

std::string Keyword(const PostgresAddress& address, std::string_view keyword) {
  for (const auto& [key, value] : address.keywords)
    if (key == keyword) return value;
  return "<none>";
}

TEST(OpenDatabase, OpensSqliteFiles) {
  ScratchFolder folder;
  std::string path = folder.Join("a b.db");
  auto db = OpenDatabase("sqlite:///" + path);
  ASSERT_TRUE(db.ok()) << db.error().ToString();
  EXPECT_EQ((*db)->description(), path);
  EXPECT_TRUE(std::filesystem::exists(path));
  auto memory = OpenDatabase("sqlite://");
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ((*memory)->description(), ":memory:");
  EXPECT_TRUE(OpenDatabase("sqlite:///:memory:").ok());
}

TEST(OpenDatabase, SaysWhatIsWrongWithAUri) {
  struct Case {
    const char* uri;
    const char* said;
  };
  for (const Case& wrong :
       {Case{"mlflow.db", "sqlite:///mlflow.db"}, Case{"", "no database URI"},
        Case{"mysql+pymysql://u:secret@h/db", "'mysql+pymysql' are not supported"},
        Case{"mssql://u:secret@h/db", "postgresql://"},
        Case{"sqlite://mlflow.db", "sqlite:///mlflow.db for a relative path"},
        Case{"sqlite:///a.db?mode=ro", "?mode=ro"}, Case{"postgresql://u:secret%zz@h/db", "%40"},
        Case{"postgresql://u:secret@h/db?wrong=1", "wrong"},
        Case{"postgresql://u:secret@[::1/db", "]"}}) {
    auto db = OpenDatabase(wrong.uri);
    ASSERT_FALSE(db.ok()) << wrong.uri;
    EXPECT_EQ(db.error().code(), ErrorCode::kInvalidArgument) << wrong.uri;
    EXPECT_NE(db.error().message().find(wrong.said), std::string::npos) << db.error().message();
    EXPECT_EQ(db.error().message().find("secret"), std::string::npos) << db.error().message();
  }
}

TEST(PostgresUri, IsReadAsSqlAlchemyAndLibpqSpellIt) {
  for (const char* scheme :
       {"postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"}) {
    Result<PostgresAddress> address = ParsePostgresUri(
        std::string(scheme) + "://me:p%40ss%3Aw%2Frd@db.example:5433/ml%20flow?sslmode=require");
    ASSERT_TRUE(address.ok()) << address.error().ToString();
    EXPECT_EQ(Keyword(*address, "user"), "me");
    EXPECT_EQ(Keyword(*address, "password"), "p@ss:w/rd");
    EXPECT_EQ(Keyword(*address, "host"), "db.example");
    EXPECT_EQ(Keyword(*address, "port"), "5433");
    EXPECT_EQ(Keyword(*address, "dbname"), "ml flow");
    EXPECT_EQ(Keyword(*address, "sslmode"), "require");
    EXPECT_EQ(address->description, "postgresql://me@db.example:5433/ml flow");
  }
  PostgresAddress local = ParsePostgresUri("postgresql:///mlflow?host=/run/postgresql").value();
  EXPECT_EQ(Keyword(local, "host"), "/run/postgresql");
  EXPECT_EQ(Keyword(local, "password"), "<none>");
}

}  // namespace
}  // namespace sluice::sql
