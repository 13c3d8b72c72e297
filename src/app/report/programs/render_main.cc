// report_render: the page from ReportInputs as one JSON object on standard input ({"run": {},
// "lineage": {}, "evaluations": [{"name": s, "content": {}}], ...}); for tests of the page and for
// designing it.
#include <iostream>
#include <iterator>

#include "app/report/report_html.h"

namespace {

using sluice::app::NamedArtefact;
using sluice::formats::Json;

std::vector<NamedArtefact> Artefacts(const Json& json, std::string_view key) {
  std::vector<NamedArtefact> artefacts;
  const Json* list = json.Find(key);
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    artefacts.push_back({list->At(i).StringOr("name", ""), list->At(i).At("content")});
  }
  return artefacts;
}

Json Member(const Json& json, std::string_view key) {
  const Json* found = json.Find(key);
  return found == nullptr ? Json() : *found;
}

}  // namespace

int main() {
  std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  sluice::Result<Json> json = sluice::formats::ParseJson(text);
  if (!json.ok()) {
    std::cerr << json.error().ToString() << '\n';
    return 1;
  }
  sluice::app::ReportInputs inputs{.run = Member(*json, "run"),
                                   .lineage = Member(*json, "lineage"),
                                   .profiles = Artefacts(*json, "profiles"),
                                   .findings = Artefacts(*json, "findings"),
                                   .leakage = Artefacts(*json, "leakage"),
                                   .curves = Artefacts(*json, "curves"),
                                   .evaluations = Artefacts(*json, "evaluations"),
                                   .verdicts = Artefacts(*json, "verdicts"),
                                   .models = Artefacts(*json, "models"),
                                   .next_commands = {}};
  Json commands = Member(*json, "next_commands");
  for (size_t i = 0; i < commands.size(); ++i) {
    inputs.next_commands.push_back(commands.At(i).AsString());
  }
  sluice::Result<std::string> page = sluice::app::RenderReportHtml(inputs);
  if (!page.ok()) {
    std::cerr << page.error().ToString() << '\n';
    return 1;
  }
  std::cout << *page;
  return 0;
}
