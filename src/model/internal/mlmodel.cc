#include "model/internal/mlmodel.h"

#include <fmt/format.h>

namespace sluice::model::internal {
namespace {

constexpr int kFormatVersion = 1;

/// One column without blanks in it: predictions as `predict` gives them.
formats::Json OutputsJson(const Description& description) {
  std::string_view type = "double";
  if (description.is_classifier()) {
    const formats::Json& first = description.classes.front();
    type = first.is_string()    ? "string"
           : first.is_bool()    ? "boolean"
           : first.is_integer() ? "long"
                                : "double";
  }
  formats::Json outputs = formats::Json::MakeArray();
  outputs.Append(
      formats::Json::MakeObject({{"type", type}, {"name", "prediction"}, {"required", true}}));
  return outputs;
}

formats::Json ParamsJson() {
  formats::Json params = formats::Json::MakeArray();
  params.Append(formats::Json::MakeObject({{"name", "predict_method"},
                                           {"type", "string"},
                                           {"default", "predict"},
                                           {"shape", nullptr}}));
  return params;
}

}  // namespace

std::string QuoteYaml(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead == '"' || lead == '\\') {
      out += '\\';
      out += static_cast<char>(lead);
      ++i;
    } else if (lead >= 0x20 && lead < 0x7F) {
      out += static_cast<char>(lead);
      ++i;
    } else if (lead < 0x80) {
      out += fmt::format("\\x{:02x}", lead);
      ++i;
    } else {
      const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
      uint32_t code = lead & (0xFFu >> (length + 1));
      for (size_t k = 1; k < length && i + k < text.size(); ++k) {
        code = (code << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
      }
      out += code > 0xFFFF ? fmt::format("\\U{:08x}", code) : fmt::format("\\u{:04x}", code);
      i += length;
    }
  }
  return out + "\"";
}

std::string PrintMlmodel(const MlmodelParts& parts) {
  const Description& description = parts.description;
  std::string text = fmt::format(
      "flavors:\n"
      "  sluice:\n"
      "    data: .\n"
      "    format_version: {}\n"
      "    learner: {}\n"
      "    task: {}\n"
      "model_size_bytes: {}\n"
      "model_uuid: {}\n",
      kFormatVersion, QuoteYaml(description.learner), learn::TaskName(description.task),
      parts.model_size_bytes, QuoteYaml(parts.model_uuid));
  if (!parts.run_id.empty()) text += "run_id: " + QuoteYaml(parts.run_id) + "\n";
  text += fmt::format(
      "saved_input_example_info:\n"
      "  artifact_path: input_example.json\n"
      "  pandas_orient: split\n"
      "  serving_input_path: serving_input_example.json\n"
      "  type: dataframe\n"
      "signature:\n"
      "  inputs: {}\n"
      "  outputs: {}\n"
      "  params: {}\n",
      QuoteYaml(formats::PrintJson(description.signature.ToMlflowJson())),
      QuoteYaml(formats::PrintJson(OutputsJson(description))),
      QuoteYaml(formats::PrintJson(ParamsJson())));
  return text;
}

}  // namespace sluice::model::internal
