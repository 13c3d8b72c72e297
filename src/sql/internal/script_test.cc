#include "sql/internal/script.h"

#include <gtest/gtest.h>

namespace sluice::sql::internal {
namespace {

TEST(Script, MakesTheCommentsOfOneEngineCode) {
  std::string text = "a /*sqlite b */ c /*postgres d */ e /* f */";
  EXPECT_EQ(ScriptFor("sqlite", text), "a          b    c /*postgres d */ e /* f */");
  EXPECT_EQ(ScriptFor("postgres", text), "a /*sqlite b */ c            d    e /* f */");
  EXPECT_EQ(ScriptFor("sqlite", "/*sqlite x"), "/*sqlite x");
}

TEST(Script, MakesTextOfTablesBytewise) {
  EXPECT_EQ(WithBytewiseText("CREATE TABLE t (a TEXT NOT NULL, b BIGINT, text_c text);"),
            "CREATE TABLE t (a TEXT COLLATE \"C\" NOT NULL, b BIGINT, text_c text COLLATE \"C\");");
  EXPECT_EQ(WithBytewiseText("-- a TEXT\nalter table t add x TEXT DEFAULT 'TEXT' /* TEXT */"),
            "-- a TEXT\nalter table t add x TEXT COLLATE \"C\" DEFAULT 'TEXT' /* TEXT */");
}

TEST(Script, LeavesOtherStatementsAndCasts) {
  for (const char* text :
       {"CREATE INDEX i ON t (CAST(a AS TEXT)); UPDATE t SET a = CAST(b AS TEXT)",
        "CREATE TABLE t (a BIGINT CHECK (CAST(a AS TEXT) <> 'it''s TEXT'))",
        "CREATE FUNCTION f(x text) RETURNS text AS $$ CREATE TABLE t (a TEXT); $$",
        "CREATE FUNCTION f() AS $tag$; CREATE TABLE t (a TEXT) $tag$", "SELECT \"TEXT\"", "'open",
        "/* open", "$1 TEXT"}) {
    EXPECT_EQ(WithBytewiseText(text), text);
  }
}

}  // namespace
}  // namespace sluice::sql::internal
