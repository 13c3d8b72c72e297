// The canonical encoding, whose SHA-256 is the key. Persisted in run caches.
//
//   int(i)     8 bytes, two's complement, least significant first
//   text(s)    int(bytes), then the bytes
//   list(...)  int(elements), then the elements
//   digest     32 bytes
//   value(v)   one byte, then: n null | t true | f false | i int(v) | d the IEEE 754 bits as int
//   (every NaN as
//              0x7FF8000000000000) | s text(v) | a list of values | o list of (text(key), value),
//              in order
//
//   "sluice-key-1\n"
//   text(kind) int(format_version) list(text(word))
//   settings as list of (text(name), value), sorted by name      (the order of keys in the file
//   decides nothing) params   as list of (text(name), value) env      as list of (text(name),
//   text(value)) inputs   as list of (text(name), text(pattern), digest) code     as list of
//   (text(pattern), digest) outputs  as list of (text(name), list(text(path)))
//   digest(environment_lock) int(seed)
//
// Every part has its length in front, so two different sets of ingredients never have equal
// encodings.
#include "pipeline/cache_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::pipeline {

namespace {

using formats::Json;

class Encoder {
 public:
  void Int(int64_t value) {
    uint64_t bits = static_cast<uint64_t>(value);
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>((bits >> (8 * i)) & 0xFF);
  }
  void Count(size_t count) { Int(static_cast<int64_t>(count)); }
  void Text(std::string_view text) {
    Count(text.size());
    bytes_ += text;
  }
  void Raw(std::string_view bytes) { bytes_ += bytes; }
  void Hash(const Digest& digest) {
    bytes_.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
  }
  void Value(const Json& value) {
    if (value.is_null()) {
      bytes_ += 'n';
    } else if (value.is_bool()) {
      bytes_ += value.AsBool() ? 't' : 'f';
    } else if (value.is_integer()) {
      bytes_ += 'i';
      Int(value.AsInteger());
    } else if (value.is_double()) {
      bytes_ += 'd';
      double number = value.AsDouble();
      Int(std::isnan(number) ? int64_t{0x7FF8000000000000} : std::bit_cast<int64_t>(number));
    } else if (value.is_string()) {
      bytes_ += 's';
      Text(value.AsString());
    } else if (value.is_array()) {
      bytes_ += 'a';
      Count(value.size());
      for (const Json& item : value.AsArray()) Value(item);
    } else {
      bytes_ += 'o';
      Members(value.AsObject());
    }
  }
  void Members(const std::vector<std::pair<std::string, Json>>& members) {
    Count(members.size());
    for (const auto& [name, value] : members) {
      Text(name);
      Value(value);
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::vector<std::pair<std::string, Json>> SortedMembers(const Json& object) {
  std::vector<std::pair<std::string, Json>> members = object.AsObject();
  std::stable_sort(members.begin(), members.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return members;
}

Json TextsToJson(const std::vector<std::string>& texts) {
  Json json = Json::MakeArray();
  for (const std::string& text : texts) json.Append(text);
  return json;
}

Result<std::vector<std::string>> TextsFromJson(const Json& json) {
  std::vector<std::string> texts;
  if (!json.is_array()) return DataLoss("expected a list of texts");
  for (const Json& item : json.AsArray()) {
    if (!item.is_string()) return DataLoss("expected a list of texts");
    texts.push_back(item.AsString());
  }
  return texts;
}

Result<Digest> DigestFromJson(const Json& json, std::string_view key) {
  ASSIGN_OR_RETURN(std::string hex, json.GetString(key));
  return Digest::FromHex(hex);
}

Result<Ingredients> ReadIngredients(const Json& json) {
  Ingredients read;
  ASSIGN_OR_RETURN(read.kind, json.GetString("kind"));
  ASSIGN_OR_RETURN(int64_t format_version, json.GetInteger("format_version"));
  read.format_version = static_cast<int>(format_version);
  ASSIGN_OR_RETURN(const Json* words, json.GetArray("words"));
  ASSIGN_OR_RETURN(read.words, TextsFromJson(*words));
  ASSIGN_OR_RETURN(const Json* settings, json.GetObject("settings"));
  read.settings = *settings;
  ASSIGN_OR_RETURN(const Json* params, json.GetObject("params"));
  for (const auto& [name, value] : params->AsObject()) read.params.emplace_back(name, value);
  ASSIGN_OR_RETURN(const Json* env, json.GetObject("env"));
  for (const auto& [name, value] : env->AsObject()) {
    if (!value.is_string()) return DataLoss("expected texts in 'env'");
    read.env.emplace_back(name, value.AsString());
  }
  ASSIGN_OR_RETURN(const Json* inputs, json.GetArray("inputs"));
  for (const Json& item : inputs->AsArray()) {
    InputIngredient input;
    ASSIGN_OR_RETURN(input.name, item.GetString("name"));
    ASSIGN_OR_RETURN(input.origin, item.GetString("origin"));
    ASSIGN_OR_RETURN(input.pattern, item.GetString("pattern"));
    ASSIGN_OR_RETURN(input.digest, DigestFromJson(item, "digest"));
    read.inputs.push_back(std::move(input));
  }
  ASSIGN_OR_RETURN(const Json* code, json.GetArray("code"));
  for (const Json& item : code->AsArray()) {
    CodeIngredient file;
    ASSIGN_OR_RETURN(file.pattern, item.GetString("pattern"));
    ASSIGN_OR_RETURN(file.digest, DigestFromJson(item, "digest"));
    read.code.push_back(std::move(file));
  }
  ASSIGN_OR_RETURN(const Json* outputs, json.GetObject("outputs"));
  for (const auto& [name, paths] : outputs->AsObject()) {
    ASSIGN_OR_RETURN(std::vector<std::string> texts, TextsFromJson(paths));
    read.outputs.emplace_back(name, std::move(texts));
  }
  ASSIGN_OR_RETURN(read.environment_lock, DigestFromJson(json, "environment_lock"));
  ASSIGN_OR_RETURN(read.seed, json.GetInteger("seed"));
  return read;
}

}  // namespace

Digest ComputeCacheKey(const Ingredients& ingredients) {
  Encoder encoder;
  encoder.Raw("sluice-key-1\n");
  encoder.Text(ingredients.kind);
  encoder.Int(ingredients.format_version);
  encoder.Count(ingredients.words.size());
  for (const std::string& word : ingredients.words) encoder.Text(word);
  encoder.Members(SortedMembers(ingredients.settings));
  encoder.Members(ingredients.params);
  encoder.Count(ingredients.env.size());
  for (const auto& [name, value] : ingredients.env) {
    encoder.Text(name);
    encoder.Text(value);
  }
  encoder.Count(ingredients.inputs.size());
  for (const InputIngredient& input : ingredients.inputs) {
    encoder.Text(input.name);
    encoder.Text(input.pattern);
    encoder.Hash(input.digest);
  }
  encoder.Count(ingredients.code.size());
  for (const CodeIngredient& file : ingredients.code) {
    encoder.Text(file.pattern);
    encoder.Hash(file.digest);
  }
  encoder.Count(ingredients.outputs.size());
  for (const auto& [name, paths] : ingredients.outputs) {
    encoder.Text(name);
    encoder.Count(paths.size());
    for (const std::string& path : paths) encoder.Text(path);
  }
  encoder.Hash(ingredients.environment_lock);
  encoder.Int(ingredients.seed);
  return ComputeSha256(encoder.bytes());
}

Json IngredientsToJson(const Ingredients& ingredients) {
  Json json = Json::MakeObject({{"kind", ingredients.kind},
                                {"format_version", ingredients.format_version},
                                {"words", TextsToJson(ingredients.words)},
                                {"settings", ingredients.settings},
                                {"params", Json(Json::Object(ingredients.params))}});
  Json::Object env;
  for (const auto& [name, value] : ingredients.env) env.emplace_back(name, value);
  json["env"] = Json(std::move(env));
  Json inputs = Json::MakeArray();
  for (const InputIngredient& input : ingredients.inputs) {
    inputs.Append(Json::MakeObject({{"name", input.name},
                                    {"origin", input.origin},
                                    {"pattern", input.pattern},
                                    {"digest", input.digest.ToHex()}}));
  }
  json["inputs"] = std::move(inputs);
  Json code = Json::MakeArray();
  for (const CodeIngredient& file : ingredients.code) {
    code.Append(Json::MakeObject({{"pattern", file.pattern}, {"digest", file.digest.ToHex()}}));
  }
  json["code"] = std::move(code);
  Json::Object outputs;
  for (const auto& [name, paths] : ingredients.outputs)
    outputs.emplace_back(name, TextsToJson(paths));
  json["outputs"] = Json(std::move(outputs));
  json["environment_lock"] = ingredients.environment_lock.ToHex();
  json["seed"] = ingredients.seed;
  return json;
}

Result<Ingredients> IngredientsFromJson(const Json& json) {
  Result<Ingredients> read = ReadIngredients(json);
  if (read.ok()) return read;
  return DataLoss(
      fmt::format("a step's recorded ingredients cannot be read: {}", read.error().message()));
}

}  // namespace sluice::pipeline
