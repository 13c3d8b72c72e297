// Plans as text: a file of sections that are played one after the other, with what each must print.
//
//     --- pipeline            the YAML, from here on
//     --- files               "PATTERN = CONTENT" sets one, "PATTERN -" removes it
//     --- params              "NAME = VALUE", replacing those before
//     --- lock                one line: what the environment pins
//     --- forget              the run cache is emptied
//     --- plan [STEP ...]     what PrintPlan says; names after a '!' are forced
//     --- why STEP
//     --- run [STEP ...]      plans, then runs everything that gets ready; a line per state that
//     changes
//
// A step whose description is "fails" fails; one described "constant" makes the same whatever goes
// in; all others make something else for each key. Only plan, why and run have expected lines.
#pragma once

#include <string>
#include <string_view>

namespace sluice::pipeline {

// The text of a scenario with the expected lines replaced by the actual ones: equal to `text` if
// all is as expected.
std::string PlayScenario(std::string_view text, const std::string& file);

}  // namespace sluice::pipeline
