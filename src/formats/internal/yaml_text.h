// The text of one YAML document and where its lines begin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::formats {

struct YamlText {
  std::string file;
  std::string text;                 // UTF-8, no BOM
  std::vector<size_t> line_starts;  // byte offsets, by libyaml's idea of a line break

  // The line (from 1) without its break; empty if there is none.
  std::string_view Line(int line) const;
  // The same for errors: empty if it is longer than a person would read, so that thousands of
  // positions on one huge line do not hold it thousands of times.
  std::string_view ShownLine(int line) const;
};

}  // namespace sluice::formats
