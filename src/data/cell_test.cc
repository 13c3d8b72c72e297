#include "data/cell.h"

#include <gtest/gtest.h>

#include <limits>

#include "data/testing/tables.h"

namespace sluice::data {
namespace {

TEST(CellTest, DatesAndTimestampsPrintAndReadBack) {
  EXPECT_EQ(FormatCell(Cell(int64_t{11016}), ColumnType::kDate), "2000-02-29");
  EXPECT_EQ(FormatCell(Cell(int64_t{1'500'000}), ColumnType::kTimestamp), "1970-01-01T00:00:01.5Z");
  for (const char* text : {"2024-02-29", "1900-03-01", "0001-01-01", "9999-12-31"}) {
    EXPECT_EQ(FormatCell(ParseCell(text, ColumnType::kDate).value(), ColumnType::kDate), text);
  }
  for (const char* text :
       {"2024-02-29T08:30:00Z", "2024-02-29T08:30:00.25Z", "1950-01-01T00:00:00.000001Z"}) {
    EXPECT_EQ(FormatCell(ParseCell(text, ColumnType::kTimestamp).value(), ColumnType::kTimestamp),
              text);
  }
  EXPECT_EQ(ParseCell("2024-02-29 08:30", ColumnType::kTimestamp).value(),
            ParseCell("2024-02-29T08:30:00Z", ColumnType::kTimestamp).value());
}

TEST(CellTest, WhatIsNoValueOfTheTypeIsAnError) {
  const std::pair<const char*, ColumnType> kWrong[] = {{"2023-02-29", ColumnType::kDate},
                                                       {"2023-13-01", ColumnType::kDate},
                                                       {"20230101", ColumnType::kDate},
                                                       {"2023-01-01x", ColumnType::kDate},
                                                       {"2023-01-01T25:00", ColumnType::kTimestamp},
                                                       {"1.5", ColumnType::kInt64},
                                                       {"9223372036854775808", ColumnType::kInt64},
                                                       {"", ColumnType::kInt64},
                                                       {"1,5", ColumnType::kDouble},
                                                       {"yes", ColumnType::kBool}};
  for (const auto& [text, type] : kWrong) {
    Result<Cell> cell = ParseCell(text, type);
    ASSERT_FALSE(cell.ok()) << text;
    EXPECT_NE(cell.error().message().find(ColumnTypeName(type)), std::string::npos);
  }
}

TEST(CellTest, IntegersAndDoublesCompareExactly) {
  int64_t big = (int64_t{1} << 53) + 1;
  EXPECT_EQ(CompareCells(Cell(big), Cell(0x1p53)), 1);
  EXPECT_EQ(CompareCells(Cell(0x1p53), Cell(big)), -1);
  EXPECT_EQ(CompareCells(Cell(std::numeric_limits<int64_t>::max()), Cell(0x1p63)), -1);
  EXPECT_EQ(CompareCells(Cell(std::numeric_limits<int64_t>::min()), Cell(-0x1p63)), 0);
  EXPECT_EQ(CompareCells(Cell(int64_t{1}), Cell(1.5)), -1);
  EXPECT_EQ(CompareCells(Cell(int64_t{-1}), Cell(-1.5)), 1);
  EXPECT_EQ(CompareCells(Cell(int64_t{5}), Cell(std::numeric_limits<double>::infinity())), -1);
}

TEST(CellTest, TypesHaveTheWordsOfTheField) {
  EXPECT_EQ(FindColumnType("long"), ColumnType::kInt64);
  EXPECT_EQ(FindColumnType("boolean"), ColumnType::kBool);
  EXPECT_EQ(FindColumnType("datetime"), ColumnType::kTimestamp);
  EXPECT_EQ(FindColumnType("int64"), ColumnType::kInt64);
  EXPECT_EQ(FindColumnType("int65"), std::nullopt);
}

}  // namespace
}  // namespace sluice::data
