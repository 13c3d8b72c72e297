// Things that are worth a line to who imports or exports, and how often.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sluice::app::mlflow_import {

class Notes {
 public:
  struct Note {
    int64_t count = 0;
    std::string example;
  };
  void Add(const std::string& what, std::string_view example, int64_t count = 1) {
    Note& note = notes_[what];
    if (note.count == 0) note.example = example;
    note.count += count;
  }
  const std::map<std::string, Note>& all() const { return notes_; }

 private:
  std::map<std::string, Note> notes_;
};

}  // namespace sluice::app::mlflow_import
