#include "http/internal/coding.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "http/internal/text.h"

namespace sluice::http::internal {
namespace {

constexpr int kGzipLevel = 1;
constexpr int kZstdLevel = 1;
constexpr int kGzipWindow = 15 + 16;  ///< zlib's way to say "with gzip's header"
constexpr size_t kStepBytes = 64 << 10;

/// "0.5" of "q=0.5" in thousandths; -1 if malformed.
int ParseWeight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return -1;
  int weight = (text[0] - '0') * 1000;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return -1;
  int unit = 100;
  for (char c : text.substr(2)) {
    if (c < '0' || c > '9') return -1;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight > 1000 ? -1 : weight;
}

std::optional<std::string> CompressGzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  // zlib counts in 32 bits; replies in memory are far from it.
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return std::nullopt;
  return out;
}

std::optional<std::string> CompressZstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return std::nullopt;
  out.resize(size);
  return out;
}

/// Inflates one gzip stream of any number of members, in steps.
class Inflater {
 public:
  Inflater() { is_ready_ = inflateInit2(&stream_, kGzipWindow) == Z_OK; }
  ~Inflater() {
    if (is_ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Takes from the front of `bytes` and writes to `into`; how much was written. 0 with `bytes`
  /// empty: more is needed, or the end is there (is_at_end).
  Result<size_t> Step(std::string_view& bytes, std::span<char> into) {
    if (!is_ready_) return ResourceExhausted("no memory to decode gzip");
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    while (stream_.avail_out == into.size()) {
      if (is_at_end_) {
        if (bytes.empty()) break;
        if (inflateReset(&stream_) != Z_OK) return Malformed();  // another member follows
        is_at_end_ = false;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream_.avail_in = static_cast<uInt>(bytes.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      bytes.remove_prefix(bytes.size() - stream_.avail_in);
      if (result == Z_STREAM_END) {
        is_at_end_ = true;
      } else if (result == Z_BUF_ERROR) {
        if (!bytes.empty()) return Malformed();
        break;
      } else if (result != Z_OK) {
        return Malformed();
      }
    }
    return into.size() - stream_.avail_out;
  }
  /// After a whole member.
  bool is_at_end() const { return is_at_end_; }
  static Error Malformed() {
    return InvalidArgument("the body is not gzip, though its Content-Encoding says so");
  }

 private:
  z_stream stream_{};
  bool is_ready_ = false;
  bool is_at_end_ = false;
};

Error TooLarge(int64_t bytes_max) {
  return ResourceExhausted("the decoded body is larger than " + std::to_string(bytes_max) +
                           " bytes");
}

class GzipSource final : public BodySource {
 public:
  GzipSource(BodySource& coded, int64_t bytes_max)
      : coded_(coded), buffer_(kStepBytes), bytes_max_(bytes_max) {}

  Result<size_t> Read(std::span<char> into) override {
    CHECK(!into.empty());
    if (error_) return *error_;
    Result<size_t> count = ReadOn(into);
    if (!count.ok()) error_ = count.error();
    return count;
  }

 private:
  Result<size_t> ReadOn(std::span<char> into) {
    while (true) {
      ASSIGN_OR_RETURN(const size_t count, inflater_.Step(rest_, into));
      decoded_bytes_ += static_cast<int64_t>(count);
      if (decoded_bytes_ > bytes_max_) return TooLarge(bytes_max_);
      if (count > 0) return count;
      if (!rest_.empty()) continue;
      ASSIGN_OR_RETURN(const size_t coded_count, coded_.Read(buffer_));
      if (coded_count == 0) {
        if (!inflater_.is_at_end()) return InvalidArgument("the gzip body is cut off");
        return size_t{0};
      }
      rest_ = {buffer_.data(), coded_count};
    }
  }

  BodySource& coded_;
  Inflater inflater_;
  std::vector<char> buffer_;
  std::string_view rest_;  ///< of buffer_
  const int64_t bytes_max_;
  int64_t decoded_bytes_ = 0;
  std::optional<Error> error_;
};

}  // namespace

std::string_view CodingName(Coding coding) {
  switch (coding) {
    case Coding::kGzip: return "gzip";
    case Coding::kZstd: return "zstd";
    case Coding::kIdentity: break;
  }
  return "identity";
}

Coding ChooseCoding(std::string_view accept_encoding) {
  // Weights in thousandths; negative: not named.
  int gzip = -1;
  int zstd = -1;
  int identity = -1;
  int others = -1;
  while (!accept_encoding.empty()) {
    const size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    std::string_view item = TrimBlanks(accept_encoding.substr(0, comma));
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    int weight = 1000;
    if (const size_t semicolon = item.find(';'); semicolon != std::string_view::npos) {
      std::string_view parameter = TrimBlanks(item.substr(semicolon + 1));
      if (!EqualsIgnoringCase(parameter.substr(0, 2), "q=")) continue;
      weight = ParseWeight(parameter.substr(2));
      if (weight < 0) continue;
      item = TrimBlanks(item.substr(0, semicolon));
    }
    if (EqualsIgnoringCase(item, "gzip") || EqualsIgnoringCase(item, "x-gzip")) gzip = weight;
    if (EqualsIgnoringCase(item, "zstd")) zstd = weight;
    if (EqualsIgnoringCase(item, "identity")) identity = weight;
    if (item == "*") others = weight;
  }
  if (gzip < 0) gzip = others;
  if (zstd < 0) zstd = others;
  // Not named, identity is acceptable, but a coding that is named is what the client would rather
  // have.
  const int best = std::max({gzip, zstd, 0});
  if (best == 0 || best < identity) return Coding::kIdentity;
  return zstd == best ? Coding::kZstd : Coding::kGzip;
}

bool IsCompressibleType(std::string_view content_type) {
  const std::string type = ToLower(TrimBlanks(content_type.substr(0, content_type.find(';'))));
  return type.starts_with("text/") || type.ends_with("+json") || type.ends_with("+xml") ||
         type == "application/json" || type == "application/xml" ||
         type == "application/javascript" || type == "application/x-ndjson" ||
         type == "application/yaml" || type == "application/wasm";
}

std::optional<std::string> Compress(Coding coding, std::string_view bytes) {
  if (coding == Coding::kIdentity || bytes.size() > size_t{1} << 30) return std::nullopt;
  std::optional<std::string> out =
      coding == Coding::kGzip ? CompressGzip(bytes) : CompressZstd(bytes);
  if (out && out->size() >= bytes.size()) return std::nullopt;
  return out;
}

void CompressReply(const Request& request, int64_t bytes_min, Response& response) {
  if (bytes_min < 0 || static_cast<int64_t>(response.body.size()) < bytes_min ||
      !response.may_compress || response.file || response.stream || response.status == 206 ||
      response.status == 204 || response.status == 304 ||
      response.headers.Find("Content-Encoding") || response.headers.Find("Content-Range") ||
      !IsCompressibleType(response.content_type)) {
    return;
  }
  response.headers.Add("Vary", "Accept-Encoding");
  const std::string* accepted = request.headers.Find("Accept-Encoding");
  if (!accepted) return;
  const Coding coding = ChooseCoding(*accepted);
  std::optional<std::string> coded = Compress(coding, response.body);
  if (!coded) return;
  response.body = *std::move(coded);
  response.headers.Add("Content-Encoding", std::string(CodingName(coding)));
  // The same tag for other bytes must be a weak one (RFC 9110, 8.8.3).
  const std::string* etag = response.headers.Find("ETag");
  if (etag && !etag->starts_with("W/")) response.headers.Set("ETag", "W/" + *etag);
}

std::optional<Coding> FindRequestCoding(std::string_view content_encoding) {
  if (EqualsIgnoringCase(content_encoding, "identity")) return Coding::kIdentity;
  if (EqualsIgnoringCase(content_encoding, "gzip") ||
      EqualsIgnoringCase(content_encoding, "x-gzip")) {
    return Coding::kGzip;
  }
  return std::nullopt;
}

Status DecodeGzip(std::string& bytes, int64_t bytes_max,
                  const std::function<Status(int64_t)>& reserve) {
  if (bytes.empty()) return Ok();
  Inflater inflater;
  std::string_view rest = bytes;
  std::string out;
  size_t size = 0;
  while (true) {
    if (size == out.size()) {
      const size_t wanted = std::max(kStepBytes, out.size() * 2);
      RETURN_IF_ERROR(reserve(static_cast<int64_t>(wanted - out.size())));
      out.resize(wanted);
    }
    ASSIGN_OR_RETURN(const size_t count, inflater.Step(rest, std::span(out).subspan(size)));
    size += count;
    if (static_cast<int64_t>(size) > bytes_max) return TooLarge(bytes_max);
    if (count == 0 && rest.empty()) break;
  }
  if (!inflater.is_at_end()) return InvalidArgument("the gzip body is cut off");
  out.resize(size);
  bytes = std::move(out);
  return Ok();
}

std::unique_ptr<BodySource> MakeGzipSource(BodySource& coded, int64_t bytes_max) {
  return std::make_unique<GzipSource>(coded, bytes_max);
}

}  // namespace sluice::http::internal
