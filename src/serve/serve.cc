#include "serve/serve.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <cstring>

#include "http/message.h"
#include "model/rows_json.h"
#include "serve/internal/parse_rows.h"

namespace sluice::serve {
namespace {

using formats::Json;
using http::Response;

/// The classes as they stand in a reply, printed once.
std::vector<std::string> PrintClasses(const model::Description& description) {
  std::vector<std::string> printed;
  for (const Json& one : description.classes) printed.push_back(formats::PrintJson(one));
  return printed;
}

/// {"predictions": [...]}, with blanks where Python's json.dumps puts them.
std::string PrintPredictions(const model::Model& model, const model::Predictions& predictions,
                             bool wants_probabilities) {
  const model::Description& description = model.description();
  std::string out = R"({"predictions": [)";
  const auto separate = [&](size_t index) {
    if (index > 0) out += ", ";
  };
  if (!description.is_classifier()) {
    for (size_t i = 0; i < predictions.values.size(); ++i) {
      separate(i);
      out += formats::PrintDouble(predictions.values[i]);
    }
  } else if (wants_probabilities) {
    const size_t class_count = description.classes.size();
    for (size_t i = 0; i < predictions.probabilities.size(); ++i) {
      separate(i);
      if (i % class_count == 0) out += '[';
      out += formats::PrintDouble(predictions.probabilities[i]);
      if (i % class_count == class_count - 1) out += ']';
    }
  } else {
    const std::vector<std::string> classes = PrintClasses(description);
    for (size_t i = 0; i < predictions.class_index.size(); ++i) {
      separate(i);
      out += classes[static_cast<size_t>(predictions.class_index[i])];
    }
  }
  return out + "]}";
}

Response Refuse(const Error& error) {
  const bool is_schema = error.code() == ErrorCode::kFailedPrecondition;
  return http::ErrorResponse(400, is_schema ? "INVALID_PARAMETER_VALUE" : "BAD_REQUEST",
                             error.message());
}

enum class BodyFormat : uint8_t { kJson, kCsv };

/// MLflow's rules about Content-Type; their refusals are plain text.
std::optional<Response> ReadContentType(std::string_view content_type, BodyFormat& format) {
  const auto unsupported = [&] {
    return Response::Text(415, fmt::format("This predictor only supports the following content "
                                           "types: Types: ['text/csv', 'application/json']. Got "
                                           "'{}'.",
                                           content_type));
  };
  const Result<http::MediaType> media = http::ParseMediaType(content_type);
  if (!media.ok()) return unsupported();
  std::string unknown;
  for (const auto& [name, value] : media->parameters) {
    if (name != "charset") {
      unknown += (unknown.empty() ? "" : ", ") + name;
    } else if (value.size() != 5 || strncasecmp(value.data(), "utf-8", 5) != 0) {
      return Response::Text(415, "The scoring server only supports UTF-8");
    }
  }
  if (!unknown.empty()) {
    return Response::Text(415, fmt::format("Unrecognized content type parameters: {}.", unknown));
  }
  if (media->type == "application/json") {
    format = BodyFormat::kJson;
  } else if (media->type == "text/csv") {
    format = BodyFormat::kCsv;
  } else {
    return unsupported();
  }
  return std::nullopt;
}

Result<internal::ParsedRequest> ParseBody(const model::Model& model, const ServeOptions& options,
                                          BodyFormat format, std::string_view body) {
  const model::Signature& signature = model.signature();
  if (format == BodyFormat::kCsv) {
    return internal::ParseCsvRequest(signature, body, options.row_count_max);
  }
  std::optional<internal::ParsedRequest> usual =
      internal::ParseUsualJsonRequest(signature, body, options.row_count_max);
  if (usual) return *std::move(usual);
  return internal::ParseJsonRequest(signature, body, options.row_count_max);
}

/// One reply's predictions, as JSON values.
Result<Json> InvokeThroughWire(const model::Model& model, const std::string& body) {
  const Response response = Invoke(model, ServeOptions(), "application/json", body);
  if (response.status != 200) {
    return DataLoss(
        fmt::format("the serving path answered {}: {}", response.status, response.body));
  }
  formats::JsonParseOptions options;
  options.file = "response";
  options.allow_nan_and_infinity = true;
  ASSIGN_OR_RETURN(const Json json, formats::ParseJson(response.body, options));
  ASSIGN_OR_RETURN(const Json* predictions, json.GetArray("predictions"));
  return *predictions;
}

Result<double> ReadDouble(const Json& json) {
  if (!json.is_number()) return DataLoss("the serving path answered no number");
  return json.AsDouble();
}

}  // namespace

Response Invoke(const model::Model& model, const ServeOptions& options,
                std::string_view content_type, std::string_view body) {
  BodyFormat format = BodyFormat::kJson;
  if (std::optional<Response> refusal = ReadContentType(content_type, format)) {
    return std::move(*refusal);
  }
  const Result<internal::ParsedRequest> request = ParseBody(model, options, format, body);
  if (!request.ok()) return Refuse(request.error());
  if (request->wants_probabilities && !model.description().is_classifier()) {
    return Refuse(FailedPrecondition(
        "Invalid parameters found: predict_method 'predict_proba' is for classifiers."));
  }
  const Result<model::Predictions> predictions = model.Predict(request->rows);
  if (!predictions.ok()) {
    // A transform that refuses a value is the request's fault; anything else is ours.
    if (predictions.error().code() != ErrorCode::kInvalidArgument) {
      return http::ErrorResponse(500, "INTERNAL_ERROR", "The model failed to predict.");
    }
    return Refuse(
        FailedPrecondition("Failed to predict data. Error: " + predictions.error().message()));
  }
  return Response::JsonText(200,
                            PrintPredictions(model, *predictions, request->wants_probabilities));
}

Result<model::Predictions> PredictThroughWire(const model::Model& model,
                                              const std::shared_ptr<arrow::RecordBatch>& rows) {
  const model::Description& description = model.description();
  ASSIGN_OR_RETURN(const std::string split, model::PrintSplitJson(*rows));
  const std::string data = R"({"dataframe_split":)" + split;
  ASSIGN_OR_RETURN(const Json predicted, InvokeThroughWire(model, data + "}"));
  model::Predictions out;
  out.row_count = static_cast<int64_t>(predicted.size());
  if (!description.is_classifier()) {
    for (const Json& value : predicted.AsArray()) {
      ASSIGN_OR_RETURN(const double number, ReadDouble(value));
      out.values.push_back(number);
    }
    return out;
  }
  for (const Json& value : predicted.AsArray()) {
    const auto found = std::find(description.classes.begin(), description.classes.end(), value);
    if (found == description.classes.end()) return DataLoss("the serving path answered no class");
    out.class_index.push_back(static_cast<int32_t>(found - description.classes.begin()));
  }
  ASSIGN_OR_RETURN(
      const Json probabilities,
      InvokeThroughWire(model, data + R"(,"params":{"predict_method":"predict_proba"}})"));
  for (const Json& row : probabilities.AsArray()) {
    if (!row.is_array()) return DataLoss("the serving path answered no list of probabilities");
    for (const Json& value : row.AsArray()) {
      ASSIGN_OR_RETURN(const double number, ReadDouble(value));
      out.probabilities.push_back(number);
    }
  }
  return out;
}

std::vector<http::Route> BuildRoutes(std::shared_ptr<const model::Model> model,
                                     ServeOptions options) {
  std::vector<http::Route> routes;
  http::Route invocations;
  invocations.method = http::Method::kPost;
  invocations.pattern = "/invocations";
  invocations.name = "serve.invocations";
  invocations.inline_body_bytes_max = options.inline_body_bytes_max;
  invocations.handler = [model, options](const http::Request& request) {
    return Invoke(*model, options, request.ContentType(), request.body);
  };
  routes.push_back(std::move(invocations));

  const auto add = [&](std::string pattern, std::string name, std::string type, std::string body) {
    http::Route route;
    route.pattern = std::move(pattern);
    route.name = std::move(name);
    route.inline_body_bytes_max = 0;
    route.handler = [type = std::move(type), body = std::move(body)](const http::Request&) {
      Response response;
      response.content_type = type;
      response.body = body;
      return response;
    };
    routes.push_back(std::move(route));
  };
  // A model that did not load has no server, so whoever answers is healthy.
  add("/ping", "serve.ping", "application/json", "\n");
  add("/health", "serve.health", "application/json", "\n");
  add("/version", "serve.version", "text/plain; charset=utf-8", options.version);
  return routes;
}

}  // namespace sluice::serve
