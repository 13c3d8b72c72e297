#include "app/report/report_html.h"

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "base/base64.h"
#include "base/check.h"
#include "base/hmac.h"
#include "base/sha256.h"
#include "sluice_app_report_embedded.h"

namespace sluice::app {

using formats::Json;

namespace {

/// The embedded file whose name ends in `name`; missing is a mistake in CMakeLists.txt (CHECK).
std::string_view EmbeddedText(std::string_view name) {
  for (const app_report::embedded::EmbeddedFile& file : app_report::embedded::EmbeddedFiles()) {
    if (file.name.ends_with(name)) return file.content;
  }
  CHECK_MSG(false, name);
  return {};
}

/// All scripts in the order of CMakeLists.txt, in one scope of their own.
std::string JoinScripts() {
  std::string script = "(() => {\n'use strict';\n";
  for (const app_report::embedded::EmbeddedFile& file : app_report::embedded::EmbeddedFiles()) {
    if (file.name.ends_with(".js")) script.append(file.content);
  }
  return script + "})();\n";
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

/// JSON that can stand inside a script element: these characters occur only in strings, where their
/// escapes mean the same, and without '<' nothing can end the element or open a comment.
std::string EscapeJsonForHtml(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size() + json.size() / 16);
  for (char c : json) {
    switch (c) {
      case '<': escaped += "\\u003c"; break;
      case '>': escaped += "\\u003e"; break;
      case '&': escaped += "\\u0026"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

/// A content security policy source that allows exactly this inline text.
std::string PolicyDigest(std::string_view text) {
  return fmt::format("'sha256-{}'", EncodeBase64(BytesOf(ComputeSha256(text))));
}

/// Replaces each `{{name}}` of the template once; what is put in is not looked at again.
std::string FillTemplate(std::string_view text,
                         std::span<const std::pair<std::string_view, std::string>> values) {
  std::string filled;
  while (true) {
    size_t open = text.find("{{");
    if (open == std::string_view::npos) break;
    size_t close = text.find("}}", open);
    CHECK(close != std::string_view::npos);
    std::string_view name = text.substr(open + 2, close - open - 2);
    filled.append(text.substr(0, open));
    bool is_known = false;
    for (const auto& [key, value] : values) {
      if (key != name) continue;
      filled.append(value);
      is_known = true;
    }
    CHECK_MSG(is_known, name);
    text.remove_prefix(close + 2);
  }
  filled.append(text);
  return filled;
}

Json ArtefactsToJson(const std::vector<NamedArtefact>& artefacts) {
  Json list = Json::MakeArray();
  for (const NamedArtefact& artefact : artefacts) {
    list.Append(Json::MakeObject({{"name", artefact.name}, {"content", artefact.content}}));
  }
  return list;
}

Json PageData(const ReportInputs& inputs) {
  Json commands = Json::MakeArray();
  for (const std::string& command : inputs.next_commands) commands.Append(command);
  return Json::MakeObject({{"run", inputs.run},
                           {"lineage", inputs.lineage},
                           {"profiles", ArtefactsToJson(inputs.profiles)},
                           {"findings", ArtefactsToJson(inputs.findings)},
                           {"leakage", ArtefactsToJson(inputs.leakage)},
                           {"curves", ArtefactsToJson(inputs.curves)},
                           {"evaluations", ArtefactsToJson(inputs.evaluations)},
                           {"verdicts", ArtefactsToJson(inputs.verdicts)},
                           {"models", ArtefactsToJson(inputs.models)},
                           {"next_commands", std::move(commands)}});
}

/// NaN and infinity become null: the page shows both as a dash.
std::string PrintPageData(const ReportInputs& inputs) {
  formats::JsonPrintOptions options;
  options.non_finite = formats::JsonPrintOptions::NonFinite::kNull;
  return EscapeJsonForHtml(formats::PrintJson(PageData(inputs), options));
}

}  // namespace

Result<std::string> RenderReportHtml(const ReportInputs& inputs) {
  std::string style(EmbeddedText("report.css"));
  std::string script = JoinScripts();
  std::string pipeline = inputs.run.StringOr("pipeline", "pipeline");
  std::string title = EscapeHtml(pipeline + " · Sluice report");
  std::string data = PrintPageData(inputs);
  if (data.size() > kMaxReportBytes) {
    return ResourceExhausted(fmt::format("the report would hold {} bytes; the limit is {}",
                                         data.size(), kMaxReportBytes));
  }
  std::string policy = fmt::format(
      "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
      PolicyDigest(script), PolicyDigest(style));
  const std::pair<std::string_view, std::string> values[] = {{"title", std::move(title)},
                                                             {"policy", std::move(policy)},
                                                             {"style", std::move(style)},
                                                             {"data", std::move(data)},
                                                             {"script", std::move(script)}};
  return FillTemplate(EmbeddedText("report.html"), values);
}

}  // namespace sluice::app
