// From a request to a plan, with what the engine needs beside it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "pipeline/plan.h"
#include "runner/internal/source_files.h"
#include "runner/run.h"
#include "runner/run_cache.h"

namespace sluice::runner {

/// The run cache as one plan sees it: last successes loaded at once, others asked for one by one,
/// and every hit checked against the store. Only from the planning thread.
class CacheView {
 public:
  /// `deps` must outlive it. Errors: those of RunCache.
  static Result<std::shared_ptr<CacheView>> Load(const RunDeps& deps, std::string_view pipeline);

  /// The outputs of `key` if all their objects are in the store and they are the step's.
  std::optional<pipeline::OutputDigests> Find(const pipeline::Step& step, const Digest& key);
  /// What Find found for the step, or null.
  const CacheEntry* entry(std::string_view step) const;
  /// The ingredients of every last success.
  std::map<std::string, pipeline::Ingredients, std::less<>> LastIngredients() const;
  /// Was `key` the step's last success? Then there is nothing to write down.
  bool IsLastSuccess(std::string_view step, const Digest& key) const;
  /// The first failure of Find, which cannot return one.
  const Status& status() const { return status_; }

 private:
  explicit CacheView(const RunDeps& deps) : cache_(deps.db), fs_(deps.fs), store_(deps.store) {}

  RunCache cache_;
  io::Fs& fs_;
  objects::Store& store_;
  std::map<std::string, CacheEntry, std::less<>> last_successes_;
  std::map<std::string, CacheEntry, std::less<>> found_;
  Status status_;
};

struct Planned {
  pipeline::Plan plan;
  SourcesByPattern sources;
  std::shared_ptr<CacheView> cache;
};

/// Errors: those of PlanRun.
Result<Planned> MakePlan(const RunRequest& request, const RunDeps& deps);

}  // namespace sluice::runner
