#include <vector>

#include "app/cli/command.h"

namespace sluice::app {

std::span<const Command> Commands() {
  static const std::vector<Command> commands = {
      MakeInitCommand(),
      MakeRunCommand(),
      MakePlanCommand(),
      MakeWhyCommand(),
      MakeStatusCommand(),
      MakeLogCommand(),
      MakePredictCommand(),
      MakeServeCommand(),
      MakeServerCommand(),
      MakeAuthCreateUserCommand(),
      MakeAuthResetPasswordCommand(),
      MakeAuthCreateTokenCommand(),
      MakeImportMlflowCommand(),
      MakeExportMlflowCommand(),
      MakeModelsCommand(),
      MakeModelsUndoCommand(),
      MakeDataInferCommand(),
      MakeDataValidateCommand(),
      MakeDataProfileCommand(),
      MakeDataConvertCommand(),
      MakeSchemaCommand(),
      MakeGcCommand(),
      MakeFsckCommand(),
      MakeReferenceCommand(),
      MakeVersionCommand(),
      MakeStepCommand(),
  };
  return commands;
}

}  // namespace sluice::app
