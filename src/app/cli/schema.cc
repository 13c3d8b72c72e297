#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/step_kinds.h"
#include "formats/json.h"
#include "pipeline/json_schema.h"

namespace sluice::app {

Command MakeSchemaCommand() {
  return {.name = "schema",
          .summary = "print the JSON Schema of sluice.yaml, for editors",
          .details =
              "Save it and name it in the first line of sluice.yaml, and an editor with a YAML "
              "language server\n"
              "completes and checks the file:\n\n"
              "    # yaml-language-server: $schema=./sluice.schema.json",
          .positionals = {},
          .options = {},
          .run = [](const Arguments&) -> Result<int> {
            fmt::print("{}\n", formats::PrintJson(pipeline::PipelineJsonSchema(StepKinds()),
                                                  {.indent = 2}));
            return 0;
          }};
}

}  // namespace sluice::app
