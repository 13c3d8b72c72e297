// Content codings: which one to answer in, and both directions of gzip and zstd.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace sluice::http::internal {

enum class Coding : uint8_t { kIdentity, kGzip, kZstd };

/// "gzip", "zstd"; "identity".
std::string_view CodingName(Coding coding);

/// The coding to answer in, of RFC 9110, 12.5.3: the one with the highest weight, zstd before gzip
/// before identity where they are equal. No field, a malformed one, or everything refused:
/// identity. Pure.
Coding ChooseCoding(std::string_view accept_encoding);

/// True for text, JSON, XML, JavaScript and the like. Pure.
bool IsCompressibleType(std::string_view content_type);

/// Fast settings: for replies made while somebody waits. Nothing when that makes it no smaller or
/// the library fails. Thread-safe.
std::optional<std::string> Compress(Coding coding, std::string_view bytes);

/// Compresses the body where the client, the type, the size and the handler allow it, and adds
/// Vary wherever the answer could have been compressed.
void CompressReply(const Request& request, int64_t bytes_min, Response& response);

/// What a request's Content-Encoding says of its body; nothing for one that we do not decode.
std::optional<Coding> FindRequestCoding(std::string_view content_encoding);

/// gzip, possibly several members after one another. `bytes` is replaced. `reserve` is asked before
/// memory for that many more bytes is used.
/// Errors: kInvalidArgument (not gzip, or cut off), kResourceExhausted (more than `bytes_max`
/// decoded), and what `reserve` says.
Status DecodeGzip(std::string& bytes, int64_t bytes_max,
                  const std::function<Status(int64_t)>& reserve);

/// The same for a stream; the source must outlive it.
std::unique_ptr<BodySource> MakeGzipSource(BodySource& coded, int64_t bytes_max);

}  // namespace sluice::http::internal
