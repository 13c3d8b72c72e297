// Several observers of one run, told in order.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runner/observer.h"

namespace sluice::app {

/// The observers must outlive it.
class ObserverList : public runner::RunObserver {
 public:
  void Add(runner::RunObserver& observer) { observers_.push_back(&observer); }

  void OnPlan(const std::string& run_id, const pipeline::Plan& plan) override {
    for (RunObserver* observer : observers_) observer->OnPlan(run_id, plan);
  }
  io::EnvPairs AttemptEnv(const runner::AttemptInfo& attempt) override {
    io::EnvPairs all;
    for (RunObserver* observer : observers_) {
      for (auto& pair : observer->AttemptEnv(attempt)) all.push_back(std::move(pair));
    }
    return all;
  }
  void OnAttemptStarted(const runner::AttemptInfo& attempt) override {
    for (RunObserver* observer : observers_) observer->OnAttemptStarted(attempt);
  }
  void OnProgress(const runner::AttemptInfo& attempt, double done, double total,
                  std::string_view unit) override {
    for (RunObserver* observer : observers_) observer->OnProgress(attempt, done, total, unit);
  }
  void OnMetric(const runner::AttemptInfo& attempt, std::string_view key, double value,
                int64_t step, int64_t timestamp_ms) override {
    for (RunObserver* observer : observers_)
      observer->OnMetric(attempt, key, value, step, timestamp_ms);
  }
  void OnParam(const runner::AttemptInfo& attempt, std::string_view key,
               std::string_view value) override {
    for (RunObserver* observer : observers_) observer->OnParam(attempt, key, value);
  }
  void OnTag(const runner::AttemptInfo& attempt, std::string_view key,
             std::string_view value) override {
    for (RunObserver* observer : observers_) observer->OnTag(attempt, key, value);
  }
  void OnWarning(const runner::AttemptInfo& attempt, std::string_view text) override {
    for (RunObserver* observer : observers_) observer->OnWarning(attempt, text);
  }
  void OnAttemptFinished(const runner::AttemptInfo& attempt, const runner::AttemptRecord& record,
                         std::string_view error, int64_t retry_in_ms) override {
    for (RunObserver* observer : observers_)
      observer->OnAttemptFinished(attempt, record, error, retry_in_ms);
  }
  void OnStepFinished(const runner::StepOutcome& outcome) override {
    for (RunObserver* observer : observers_) observer->OnStepFinished(outcome);
  }
  void OnRunFinished(const runner::RunSummary& summary) override {
    for (RunObserver* observer : observers_) observer->OnRunFinished(summary);
  }

 private:
  std::vector<runner::RunObserver*> observers_;
};

}  // namespace sluice::app
