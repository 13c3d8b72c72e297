#include "features/internal/chain.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <fmt/format.h>

#include "features/internal/argument.h"
#include "features/internal/read_column.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

std::string_view KindName(ValueKind kind) {
  switch (kind) {
    case ValueKind::kText: return "text";
    case ValueKind::kTime: return "dates";
    case ValueKind::kNumbers: break;
  }
  return "numbers";
}

Error InColumn(const InputColumn& input, std::string_view op, Error error) {
  return std::move(error).With(fmt::format("column '{}': {}", input.name, op));
}

Status CheckTakes(const OpKind& kind, const Signature& signature) {
  if (kind.Takes(signature.kind)) return Ok();
  return InvalidArgument(fmt::format("takes {}, but here the column has {}", kind.help.takes,
                                     KindName(signature.kind)));
}

/// The chain's end: numbers, in bounded number.
Status Finish(Signature signature, Chain& chain) {
  if (signature.kind != ValueKind::kNumbers) {
    return InvalidArgument(fmt::format(
        "column '{}': its operations end in {}, and a learner needs numbers; add {}, or drop the "
        "column",
        chain.input.name, KindName(signature.kind),
        signature.kind == ValueKind::kText ? "one_hot, ordinal or hash" : "date or keep"));
  }
  chain.feature_names = std::move(signature.names);
  for (std::string& name : signature.extra_names) chain.feature_names.push_back(std::move(name));
  return Ok();
}

Signature Start(const InputColumn& input) {
  return {
      .input = input.name, .kind = KindOf(input.type), .names = {input.name}, .extra_names = {}};
}

Status CheckWidth(const Signature& signature) {
  if (signature.names.size() + signature.extra_names.size() <=
      static_cast<size_t>(kMaxFeatureCount))
    return Ok();
  return ResourceExhausted(fmt::format("gives {} features; at most {} are allowed",
                                       signature.names.size(), kMaxFeatureCount));
}

/// All chunks as one block.
Result<Block> ReadWhole(const InputColumn& input, const arrow::ChunkedArray& column) {
  Block whole, part;
  whole.kind = KindOf(input.type);
  whole.row_count = column.length();
  for (const std::shared_ptr<arrow::Array>& chunk : column.chunks()) {
    RETURN_IF_ERROR(ReadColumn(input, *chunk, 0, chunk->length(), part));
    whole.numbers.insert(whole.numbers.end(), part.numbers.begin(), part.numbers.end());
    whole.texts.insert(whole.texts.end(), part.texts.begin(), part.texts.end());
    whole.times.insert(whole.times.end(), part.times.begin(), part.times.end());
  }
  return whole;
}

}  // namespace

Status Chain::Apply(const arrow::Array& array, int64_t offset, int64_t count, Block& block,
                    double* out, size_t stride) const {
  RETURN_IF_ERROR(ReadColumn(input, array, offset, count, block));
  for (const auto& [name, op] : ops) RETURN_IF_ERROR(op->Apply(block));
  size_t rows = static_cast<size_t>(count);
  double* target = out + first_feature;
  for (size_t c = 0; c < block.width; ++c, ++target) {
    const double* values = block.Column(c);
    for (size_t i = 0; i < rows; ++i) target[i * stride] = values[i];
  }
  for (size_t c = 0; c < block.extra_width; ++c, ++target) {
    const double* values = block.extra.data() + c * rows;
    for (size_t i = 0; i < rows; ++i) target[i * stride] = values[i];
  }
  return Ok();
}

Result<Chain> FitChain(const InputColumn& input, const arrow::ChunkedArray& column,
                       const ChainSpec& spec, std::vector<std::string>& warnings) {
  Chain chain;
  chain.input = input;
  ASSIGN_OR_RETURN(Block block, ReadWhole(input, column));
  Signature signature = Start(input);
  for (const OpSpec& op_spec : spec.ops) {
    ASSIGN_OR_RETURN(const OpKind* kind, FindOpKind(op_spec.name));
    if (Status status = CheckTakes(*kind, signature); !status.ok()) {
      return InColumn(input, kind->name, std::move(status).error());
    }
    OpResult op = kind->fit(block, FitContext{signature, op_spec.argument, warnings});
    if (!op.ok()) return InColumn(input, kind->name, std::move(op).error());
    (*op)->Advance(signature);
    if (Status status = CheckWidth(signature); !status.ok())
      return InColumn(input, kind->name, std::move(status).error());
    // The last operation's output is not needed here, and may be wide.
    if (&op_spec != &spec.ops.back()) RETURN_IF_ERROR((*op)->Apply(block));
    chain.ops.emplace_back(kind->name, std::move(op).value());
  }
  RETURN_IF_ERROR(Finish(std::move(signature), chain));
  return chain;
}

Json ChainToJson(const Chain& chain) {
  Json ops = Json::MakeArray();
  for (const auto& [name, op] : chain.ops) {
    Json printed = Json::MakeObject({{"op", name}});
    Json fitted = op->ToJson();
    for (auto& [key, value] : fitted.AsObject()) printed[key] = std::move(value);
    ops.Append(std::move(printed));
  }
  return Json::MakeObject({{"input", chain.input.name}, {"ops", std::move(ops)}});
}

Result<Chain> ChainFromJson(const InputColumn& input, const Json& json) {
  Chain chain;
  chain.input = input;
  ASSIGN_OR_RETURN(const Json* ops, json.GetArray("ops"));
  if (ops->size() > kMaxOpsPerChain) {
    return ResourceExhausted(fmt::format("column '{}': {} operations", input.name, ops->size()));
  }
  Signature signature = Start(input);
  for (const Json& element : ops->AsArray()) {
    ASSIGN_OR_RETURN(std::string name, element.GetString("op"));
    ASSIGN_OR_RETURN(const OpKind* kind, FindOpKind(name));
    if (Status status = CheckTakes(*kind, signature); !status.ok()) {
      return InColumn(input, kind->name, std::move(status).error());
    }
    OpResult op = kind->load(element, signature);
    if (!op.ok()) return InColumn(input, kind->name, std::move(op).error());
    (*op)->Advance(signature);
    if (Status status = CheckWidth(signature); !status.ok())
      return InColumn(input, kind->name, std::move(status).error());
    chain.ops.emplace_back(kind->name, std::move(op).value());
  }
  RETURN_IF_ERROR(Finish(std::move(signature), chain));
  return chain;
}

}  // namespace sluice::features::internal
