#include "data/check.h"

namespace sluice::data {

namespace {

using formats::Json;

Json FindingToJson(const Finding& finding) {
  Json samples = Json::MakeArray();
  for (const Finding::Sample& sample : finding.samples) {
    samples.Append(Json::MakeObject({{"row", sample.row}, {"value", sample.value}}));
  }
  return Json::MakeObject({{"check", finding.check},
                           {"severity", SeverityName(finding.severity)},
                           {"column", finding.column},
                           {"measured", finding.measured},
                           {"limit", finding.limit},
                           {"failing_row_count", finding.failing_row_count},
                           {"samples", std::move(samples)},
                           {"message", finding.message}});
}

Result<Finding> FindingFromJson(const Json& json) {
  Finding finding;
  ASSIGN_OR_RETURN(finding.check, json.GetString("check"));
  ASSIGN_OR_RETURN(std::string severity, json.GetString("severity"));
  if (severity != "warning" && severity != "error") {
    return InvalidArgument("'severity' must be 'warning' or 'error', not '" + severity + "'");
  }
  finding.severity = severity == "warning" ? Severity::kWarning : Severity::kError;
  ASSIGN_OR_RETURN(finding.column, json.GetString("column"));
  if (const Json* measured = json.Find("measured")) finding.measured = *measured;
  if (const Json* limit = json.Find("limit")) finding.limit = *limit;
  ASSIGN_OR_RETURN(finding.failing_row_count, json.GetInteger("failing_row_count"));
  ASSIGN_OR_RETURN(finding.message, json.GetString("message"));
  ASSIGN_OR_RETURN(const Json* samples, json.GetArray("samples"));
  for (const Json& item : samples->AsArray()) {
    Finding::Sample sample;
    ASSIGN_OR_RETURN(sample.row, item.GetInteger("row"));
    ASSIGN_OR_RETURN(sample.value, item.GetString("value"));
    finding.samples.push_back(std::move(sample));
  }
  return finding;
}

}  // namespace

Json FindingsToJson(const Findings& findings) {
  Json list = Json::MakeArray();
  for (const Finding& finding : findings.findings) list.Append(FindingToJson(finding));
  return Json::MakeObject({{"version", 1},
                           {"kind", "findings"},
                           {"row_count", findings.row_count},
                           {"check_count", findings.check_count},
                           {"error_count", findings.error_count()},
                           {"warning_count", findings.warning_count()},
                           {"findings", std::move(list)}});
}

Result<Findings> FindingsFromJson(const Json& json) {
  Findings findings;
  ASSIGN_OR_RETURN(std::string kind, json.GetString("kind"));
  if (kind != "findings") return InvalidArgument("'kind' must be 'findings', not '" + kind + "'");
  ASSIGN_OR_RETURN(findings.row_count, json.GetInteger("row_count"));
  ASSIGN_OR_RETURN(findings.check_count, json.GetInteger("check_count"));
  ASSIGN_OR_RETURN(const Json* list, json.GetArray("findings"));
  for (const Json& item : list->AsArray()) {
    ASSIGN_OR_RETURN(Finding finding, FindingFromJson(item));
    findings.findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace sluice::data
