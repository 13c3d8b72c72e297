#include "app/step_kinds.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/steps/step.h"

namespace sluice::app {
namespace {

TEST(StepKindsTest, TheTableIsWellFormed) {
  Status status = pipeline::CheckKinds(StepKinds());
  EXPECT_TRUE(status.ok()) << status.error().ToString();
}

TEST(StepKindsTest, EveryKindHasItsFunction) {
  for (const pipeline::StepKind& kind : StepKinds()) {
    bool has_function =
        std::any_of(StepFunctions().begin(), StepFunctions().end(),
                    [&](const StepFunction& function) { return function.kind == kind.name; });
    EXPECT_TRUE(has_function) << kind.name;
  }
  EXPECT_EQ(StepFunctions().size(), StepKinds().size());
}

}  // namespace
}  // namespace sluice::app
