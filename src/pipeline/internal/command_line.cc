#include "pipeline/internal/command_line.h"

#include <fmt/format.h>

namespace sluice::pipeline {

namespace {

constexpr std::string_view kShellOnly = "|&;<>()`";

/// Reads one line from left to right.
class Splitter {
 public:
  Splitter(std::string_view line, std::optional<CommandLineError>* error)
      : line_(line), error_(error) {}

  std::vector<std::string> Split() {
    while (at_ < line_.size() && !*error_) {
      char c = line_[at_];
      if (c == ' ' || c == '\t') {
        EndWord();
        ++at_;
      } else if (c == '\'') {
        TakeSingleQuoted();
      } else if (c == '"') {
        TakeDoubleQuoted();
      } else if (c == '\\') {
        TakeEscape();
      } else {
        TakePlain(c);
      }
    }
    EndWord();
    return std::move(words_);
  }

 private:
  void Fail(size_t offset, std::string message) {
    if (!*error_) *error_ = CommandLineError{std::move(message), offset};
  }

  void EndWord() {
    if (is_in_word_) words_.push_back(std::move(word_));
    word_.clear();
    is_in_word_ = false;
  }

  void TakePlain(char c) {
    if (c == '\n') {
      Fail(at_, "a command is one line; for several, write `shell: true` or several steps");
      return;
    }
    if (kShellOnly.find(c) != kShellOnly.npos) {
      Fail(
          at_,
          fmt::format(
              "'{}' means something to a shell only; put it in quotes, or write `shell: true`", c));
      return;
    }
    word_ += c;
    is_in_word_ = true;
    ++at_;
  }

  void TakeSingleQuoted() {
    size_t close = line_.find('\'', at_ + 1);
    if (close == line_.npos) {
      Fail(at_, "this quote is never closed");
      return;
    }
    word_ += line_.substr(at_ + 1, close - at_ - 1);
    is_in_word_ = true;
    at_ = close + 1;
  }

  void TakeDoubleQuoted() {
    is_in_word_ = true;
    for (size_t i = at_ + 1; i < line_.size(); ++i) {
      char c = line_[i];
      if (c == '"') {
        at_ = i + 1;
        return;
      }
      bool is_escape = c == '\\' && i + 1 < line_.size() &&
                       std::string_view("$`\"\\\n").find(line_[i + 1]) != std::string_view::npos;
      if (!is_escape) {
        word_ += c;
      } else if (line_[++i] != '\n') {
        word_ += line_[i];
      }
    }
    Fail(at_, "this quote is never closed");
  }

  void TakeEscape() {
    if (at_ + 1 == line_.size()) {
      Fail(at_, "the command ends with a backslash");
      return;
    }
    if (line_[at_ + 1] != '\n') {
      word_ += line_[at_ + 1];
      is_in_word_ = true;
    }
    at_ += 2;
  }

  std::string_view line_;
  std::optional<CommandLineError>* error_;
  size_t at_ = 0;
  std::string word_;
  bool is_in_word_ = false;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> SplitCommandLine(std::string_view line,
                                          std::optional<CommandLineError>* error) {
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  while (!line.empty() && (line.front() == '\n' || line.front() == ' ')) line.remove_prefix(1);
  std::vector<std::string> words = Splitter(line, error).Split();
  return *error ? std::vector<std::string>() : words;
}

}  // namespace sluice::pipeline
