#include "table/read_options.h"

#include <array>

namespace sluice::table {

namespace {

template <typename Value>
struct Named {
  Value value;
  std::string_view name;
};

constexpr std::array<Named<Format>, 5> kFormats = {{{Format::kAuto, "auto"},
                                                    {Format::kCsv, "csv"},
                                                    {Format::kJsonLines, "json_lines"},
                                                    {Format::kParquet, "parquet"},
                                                    {Format::kArrowIpc, "arrow_ipc"}}};
constexpr std::array<Named<Encoding>, 6> kEncodings = {{{Encoding::kAuto, "auto"},
                                                        {Encoding::kUtf8, "utf-8"},
                                                        {Encoding::kUtf16Le, "utf-16-le"},
                                                        {Encoding::kUtf16Be, "utf-16-be"},
                                                        {Encoding::kLatin1, "latin1"},
                                                        {Encoding::kWindows1252, "windows-1252"}}};

template <typename Value, size_t count>
std::string_view NameOf(const std::array<Named<Value>, count>& table, Value value) {
  for (const Named<Value>& row : table) {
    if (row.value == value) return row.name;
  }
  return "unknown";
}

template <typename Value, size_t count>
std::optional<Value> FindNamed(const std::array<Named<Value>, count>& table,
                               std::string_view name) {
  for (const Named<Value>& row : table) {
    if (row.name == name) return row.value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view FormatName(Format format) { return NameOf(kFormats, format); }
std::optional<Format> FindFormat(std::string_view name) { return FindNamed(kFormats, name); }
std::string_view EncodingName(Encoding encoding) { return NameOf(kEncodings, encoding); }
std::optional<Encoding> FindEncoding(std::string_view name) { return FindNamed(kEncodings, name); }

const std::vector<std::string>& DefaultNullSpellings() {
  static const std::vector<std::string> spellings = {"",     "NA",  "N/A",      "n/a",  "<NA>",
                                                     "#N/A", "#NA", "#N/A N/A", "NULL", "null",
                                                     "NaN",  "nan", "-NaN",     "-nan", "None"};
  return spellings;
}

}  // namespace sluice::table
