#include "pipeline/template.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::pipeline {

namespace {

constexpr std::string_view kOpen = "${";
constexpr std::string_view kForms = "${params.NAME}, ${inputs.NAME}, ${outputs.NAME} or ${seed}";

bool IsNameText(std::string_view text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                              std::string_view::npos;
}

/// What stands between "${" and "}".
std::optional<Piece> ReadReference(std::string_view inside) {
  if (inside == "seed") return Piece{.kind = Piece::Kind::kSeed, .text = {}};
  size_t dot = inside.find('.');
  if (dot == inside.npos || !IsNameText(inside.substr(dot + 1))) return std::nullopt;
  std::string name(inside.substr(dot + 1));
  std::string_view scope = inside.substr(0, dot);
  if (scope == "params") return Piece{.kind = Piece::Kind::kParam, .text = name};
  if (scope == "inputs") return Piece{.kind = Piece::Kind::kInput, .text = name};
  if (scope == "outputs") return Piece{.kind = Piece::Kind::kOutput, .text = name};
  return std::nullopt;
}

}  // namespace

bool Template::has_references() const {
  return std::any_of(pieces.begin(), pieces.end(),
                     [](const Piece& piece) { return piece.kind != Piece::Kind::kText; });
}

Template ParseTemplate(std::string_view text, std::optional<TemplateError>* error) {
  Template parsed;
  auto add_text = [&](std::string_view plain, size_t offset) {
    if (plain.empty()) return;
    if (parsed.pieces.empty() || parsed.pieces.back().kind != Piece::Kind::kText) {
      parsed.pieces.push_back({.kind = Piece::Kind::kText, .text = {}, .offset = offset});
    }
    parsed.pieces.back().text += plain;
  };
  size_t at = 0;
  while (at < text.size()) {
    size_t open = text.find(kOpen, at);
    if (open == text.npos) {
      add_text(text.substr(at), at);
      break;
    }
    if (open > at && text[open - 1] == '$') {  // "$${": the first dollar goes
      add_text(text.substr(at, open - 1 - at), at);
      add_text(kOpen, open);
      at = open + kOpen.size();
      continue;
    }
    add_text(text.substr(at, open - at), at);
    size_t close = text.find('}', open);
    if (close == text.npos) {
      *error =
          TemplateError{"'${' is not closed; write $${ for the two characters themselves", open};
      return {};
    }
    std::string_view inside = text.substr(open + kOpen.size(), close - open - kOpen.size());
    std::optional<Piece> piece = ReadReference(inside);
    if (!piece) {
      *error = TemplateError{
          fmt::format("'${{{}}}' is no reference; write {}, or $${{ for the characters '${{'",
                      inside.substr(0, 80), kForms),
          open};
      return {};
    }
    piece->offset = open;
    parsed.pieces.push_back(*std::move(piece));
    at = close + 1;
  }
  return parsed;
}

std::string EscapeTemplate(std::string_view text) {
  std::string escaped;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at, kOpen.size()) == kOpen) escaped += '$';
    escaped += text[at];
  }
  return escaped;
}

}  // namespace sluice::pipeline
