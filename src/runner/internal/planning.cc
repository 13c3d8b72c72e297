#include "runner/internal/planning.h"

#include <fmt/format.h>

#include "runner/internal/step_io.h"

namespace sluice::runner {
namespace {

/// SHA-256 over "path digest\n" of the lock files, in their sorted order; all zero if there are
/// none.
Result<Digest> LoadEnvironmentLock(const RunRequest& request, const RunDeps& deps) {
  if (request.environment.lock_files.empty()) return Digest();
  std::vector<pipeline::SourcePattern> patterns;
  for (const std::string& path : request.environment.lock_files) patterns.push_back({path});
  ASSIGN_OR_RETURN(SourcesByPattern files,
                   LoadSources(deps.fs, request.project, patterns, deps.stat_cache));
  std::string text;
  for (const auto& [path, file] : files) {
    if (!file.digest) {
      return NotFound(fmt::format("environment '{}' names lock file '{}', which does not exist",
                                  request.environment.name, path));
    }
    text += fmt::format("{} {}\n", path, file.digest->ToHex());
  }
  return ComputeSha256(text);
}

}  // namespace

Result<std::shared_ptr<CacheView>> CacheView::Load(const RunDeps& deps, std::string_view pipeline) {
  std::shared_ptr<CacheView> view(new CacheView(deps));
  ASSIGN_OR_RETURN(view->last_successes_, view->cache_.LoadLastSuccesses(pipeline));
  return view;
}

std::optional<pipeline::OutputDigests> CacheView::Find(const pipeline::Step& step,
                                                       const Digest& key) {
  if (!status_.ok()) return std::nullopt;
  std::optional<CacheEntry> entry;
  auto last = last_successes_.find(step.name);
  if (last != last_successes_.end() && last->second.key == key) {
    entry = last->second;
  } else {
    Result<std::optional<CacheEntry>> found = cache_.Find(key);
    if (!found.ok()) {
      status_ = std::move(found).error();
      return std::nullopt;
    }
    entry = *std::move(found);
  }
  if (!entry || entry->outputs.size() != step.outputs.size()) return std::nullopt;
  pipeline::OutputDigests digests;
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    if (entry->outputs[i].name != step.outputs[i].name) return std::nullopt;
    // A missing object, or a damaged list of a folder: the step makes them again.
    const objects::ObjectId& id = entry->outputs[i].stored.id;
    Result<bool> has_all = store_.HasAll(id);
    if (!has_all.ok() && has_all.error().code() == ErrorCode::kDataLoss) {
      Status dropped = DropDamaged(fs_, store_, id);
      if (!dropped.ok()) status_ = std::move(dropped);
    }
    if (!has_all.ok() || !*has_all) return std::nullopt;
    digests.push_back(entry->outputs[i].stored.id.digest);
  }
  found_.insert_or_assign(step.name, *std::move(entry));
  return digests;
}

const CacheEntry* CacheView::entry(std::string_view step) const {
  auto found = found_.find(step);
  return found == found_.end() ? nullptr : &found->second;
}

std::map<std::string, pipeline::Ingredients, std::less<>> CacheView::LastIngredients() const {
  std::map<std::string, pipeline::Ingredients, std::less<>> ingredients;
  for (const auto& [step, entry] : last_successes_) ingredients.emplace(step, entry.ingredients);
  return ingredients;
}

bool CacheView::IsLastSuccess(std::string_view step, const Digest& key) const {
  auto last = last_successes_.find(step);
  return last != last_successes_.end() && last->second.key == key;
}

Result<Planned> MakePlan(const RunRequest& request, const RunDeps& deps) {
  const pipeline::Pipeline& pipeline = *request.pipeline;
  ASSIGN_OR_RETURN(std::vector<int> selected, pipeline::Select(pipeline, request.targets));
  std::vector<pipeline::SourcePattern> patterns = pipeline::SourcePatterns(pipeline, selected);
  ASSIGN_OR_RETURN(SourcesByPattern sources,
                   LoadSources(deps.fs, request.project, patterns, deps.stat_cache));
  ASSIGN_OR_RETURN(std::shared_ptr<CacheView> cache, CacheView::Load(deps, pipeline.name));
  pipeline::PlanInputs inputs;
  inputs.params = request.params;
  for (const auto& [pattern, files] : sources) inputs.sources.emplace(pattern, files.digest);
  ASSIGN_OR_RETURN(inputs.environment_lock, LoadEnvironmentLock(request, deps));
  inputs.find_cached = [cache](const pipeline::Step& step, const Digest& key) {
    return cache->Find(step, key);
  };
  inputs.last_successes = cache->LastIngredients();
  inputs.targets = request.targets;
  inputs.forced = request.forced;
  inputs.is_all_forced = request.is_all_forced;
  ASSIGN_OR_RETURN(pipeline::Plan plan, pipeline::Plan::Make(pipeline, std::move(inputs)));
  RETURN_IF_ERROR(cache->status());
  return Planned{std::move(plan), std::move(sources), std::move(cache)};
}

Result<pipeline::Plan> PlanRun(const RunRequest& request, const RunDeps& deps) {
  ASSIGN_OR_RETURN(Planned planned, MakePlan(request, deps));
  RETURN_IF_ERROR(deps.stat_cache.Save());
  return std::move(planned.plan);
}

}  // namespace sluice::runner
