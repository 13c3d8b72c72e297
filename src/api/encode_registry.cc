#include "api/encode.h"

namespace sluice::api {

namespace {

void AppendTags(const std::vector<registry::Tag>& tags, JsonWriter& out) {
  if (tags.empty()) return;
  out.Key("tags").BeginArray();
  for (const registry::Tag& tag : tags) {
    out.BeginObject().Field("key", tag.key).Field("value", tag.value).EndObject();
  }
  out.EndArray();
}

}  // namespace

void AppendModelVersion(const registry::ModelVersion& version, JsonWriter& out) {
  out.BeginObject()
      .Field("name", version.name)
      .Field("version", std::to_string(version.version))
      .Field("creation_timestamp", version.created_ms)
      .Field("last_updated_timestamp", version.updated_ms)
      .FieldIfAny("user_id", version.user_id)
      .Field("current_stage", registry::StageName(version.stage))
      .Field("description", version.description)
      .Field("source", version.source)
      .Field("run_id", version.run_id)
      .Field("status", registry::VersionStatusName(version.status))
      .FieldIfAny("status_message", version.status_message)
      .Field("run_link", version.run_link);
  AppendTags(version.tags, out);
  if (!version.aliases.empty()) {
    out.Key("aliases").BeginArray();
    for (const std::string& alias : version.aliases) out.String(alias);
    out.EndArray();
  }
  out.EndObject();
}

void AppendRegisteredModel(const registry::RegisteredModel& model, JsonWriter& out) {
  out.BeginObject()
      .Field("name", model.name)
      .Field("creation_timestamp", model.created_ms)
      .Field("last_updated_timestamp", model.updated_ms)
      .FieldIfAny("description", model.description);
  if (!model.latest_versions.empty()) {
    out.Key("latest_versions").BeginArray();
    for (const registry::ModelVersion& version : model.latest_versions) {
      AppendModelVersion(version, out);
    }
    out.EndArray();
  }
  AppendTags(model.tags, out);
  if (!model.aliases.empty()) {
    out.Key("aliases").BeginArray();
    for (const registry::Alias& alias : model.aliases) {
      out.BeginObject()
          .Field("alias", alias.alias)
          .Field("version", std::to_string(alias.version))
          .EndObject();
    }
    out.EndArray();
  }
  out.EndObject();
}

}  // namespace sluice::api
