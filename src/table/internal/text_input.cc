#include "table/internal/text_input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <functional>
#include <memory>

#include "io/fs.h"
#include "table/internal/csv_blocks.h"
#include "table/internal/utf8.h"

namespace sluice::table::internal {

namespace {

constexpr size_t kMaxMemoryBytes = size_t{64}
                                   << 20;  // larger inputs are converted by way of a temporary file
constexpr size_t kSliceBytes = size_t{1} << 20;  // even, for UTF-16

using Sink = std::function<Status(std::string_view)>;

// Bytes 0x80 to 0x9F of windows-1252 (WHATWG Encoding Standard, index windows-1252); all others are
// as in Latin-1.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

Status ConvertBytes(std::string_view bytes, Encoding encoding, const Sink& sink) {
  std::string out;
  for (size_t begin = 0; begin < bytes.size(); begin += kSliceBytes) {
    out.clear();
    for (char c : bytes.substr(begin, kSliceBytes)) {
      auto byte = static_cast<unsigned char>(c);
      bool is_special = encoding == Encoding::kWindows1252 && byte >= 0x80 && byte < 0xA0;
      AppendUtf8(is_special ? kWindows1252[byte - 0x80] : byte, out);
    }
    RETURN_IF_ERROR(sink(out));
  }
  return Ok();
}

Status ConvertUtf16(std::string_view bytes, Encoding encoding, const Sink& sink) {
  if (bytes.size() % 2 != 0) {
    return InvalidArgument(fmt::format(
        "{} bytes are an odd number, which UTF-16 text cannot have; it is cut off or not {}",
        bytes.size(), EncodingName(encoding)));
  }
  auto unit_at = [&](size_t at) {
    auto first = static_cast<unsigned char>(bytes[at]);
    auto second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<char32_t>(encoding == Encoding::kUtf16Le ? first | second << 8
                                                                : first << 8 | second);
  };
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 2) {
    char32_t unit = unit_at(at);
    if (unit >= 0xD800 && unit < 0xE000) {
      char32_t low = unit < 0xDC00 && at + 4 <= bytes.size() ? unit_at(at + 2) : 0;
      if (low < 0xDC00 || low >= 0xE000) {
        return InvalidArgument(
            fmt::format("the surrogate 0x{:04X} at byte {} has no partner; this is not {}",
                        static_cast<uint32_t>(unit), at, EncodingName(encoding)));
      }
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    AppendUtf8(unit, out);
    if (out.size() >= kSliceBytes) {
      RETURN_IF_ERROR(sink(out));
      out.clear();
    }
  }
  return sink(out);
}

Status Convert(std::string_view bytes, Encoding encoding, const Sink& sink) {
  bool is_utf16 = encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf16Be;
  return is_utf16 ? ConvertUtf16(bytes, encoding, sink) : ConvertBytes(bytes, encoding, sink);
}

/// Converts into a temporary file, maps it and removes its name.
Result<io::MappedFile> ConvertByFile(std::string_view bytes, Encoding encoding) {
  const char* folder = std::getenv("TMPDIR");
  std::string name =
      io::JoinPath(folder != nullptr && *folder != '\0' ? folder : "/tmp", "sluice-text-XXXXXX");
  int fd = mkstemp(name.data());
  if (fd < 0) return io::ErrnoError(errno, "create temporary file", name);
  close(fd);
  struct Remover {
    const std::string& name;
    ~Remover() { unlink(name.c_str()); }
  } remover{name};
  ASSIGN_OR_RETURN(std::unique_ptr<io::WritableFile> file, io::RealFs().OpenForWrite(name));
  RETURN_IF_ERROR(
      Convert(bytes, encoding, [&](std::string_view piece) { return file->Append(piece); }));
  RETURN_IF_ERROR(file->Close());
  return io::MappedFile::Open(name);
}

struct Mark {
  std::string_view bytes;
  Encoding encoding;
};
constexpr Mark kMarks[] = {{"\xEF\xBB\xBF", Encoding::kUtf8},
                           {"\xFF\xFE", Encoding::kUtf16Le},
                           {"\xFE\xFF", Encoding::kUtf16Be}};

}  // namespace

std::string_view KnownForeignFormat(std::string_view first_bytes) {
  struct Magic {
    std::string_view bytes;
    std::string_view name;
  };
  static constexpr Magic kMagics[] = {
      {"\x1F\x8B", "gzip-compressed; decompress it first"},
      {"\x28\xB5\x2F\xFD", "zstd-compressed; decompress it first"},
      {"BZh", "bzip2-compressed; decompress it first"},
      {{"\xFD"
        "7zXZ",
        5},
       "xz-compressed; decompress it first"},
      {"PK\x03\x04", "a zip archive or an Excel workbook; extract it or save it as CSV"},
      {"\xD0\xCF\x11\xE0", "an old Excel workbook; save it as CSV"},
      {"SQLite format 3", "a SQLite database; export the table as CSV"},
      {"\x89HDF", "an HDF5 file; save it as Parquet"},
      {"%PDF-", "a PDF document"},
  };
  for (const Magic& magic : kMagics) {
    if (first_bytes.starts_with(magic.bytes)) return magic.name;
  }
  return {};
}

int64_t LineOfOffset(std::string_view text, size_t offset, char line_end) {
  text = text.substr(0, offset);
  constexpr size_t kBatch = 64;
  BlockMasks masks[kBatch];
  BlockCharacters characters{line_end, line_end, line_end};
  ByteTraits traits;
  int64_t line = 1;
  while (text.size() >= kBlockBytes) {
    size_t block_count = std::min(text.size() / kBlockBytes, kBatch);
    ClassifyBlocks(text.data(), block_count, characters, masks, traits);
    for (size_t i = 0; i < block_count; ++i) line += std::popcount(masks[i].line_ends);
    text.remove_prefix(block_count * kBlockBytes);
  }
  return line + std::count(text.begin(), text.end(), line_end);
}

std::string_view TextInput::text() const {
  std::string_view whole = mapped_ ? mapped_->bytes() : std::string_view(converted_);
  return whole.substr(mark_bytes_);
}

Result<TextInput> TextInput::Open(const std::string& path, Encoding encoding) {
  TextInput input;
  input.path_ = path;
  ASSIGN_OR_RETURN(io::MappedFile mapped, io::MappedFile::Open(path));
  std::string_view bytes = mapped.bytes();
  input.size_bytes_ = static_cast<int64_t>(bytes.size());
  if (bytes.empty()) return InvalidArgument(fmt::format("'{}' is empty", path));
  if (std::string_view foreign = KnownForeignFormat(bytes); !foreign.empty()) {
    return InvalidArgument(fmt::format("'{}' is {}", path, foreign));
  }
  if (bytes.starts_with(std::string_view("\xFF\xFE\0\0", 4)) ||
      bytes.starts_with(std::string_view("\0\0\xFE\xFF", 4))) {
    return InvalidArgument(fmt::format("'{}' is UTF-32 text; convert it to UTF-8", path));
  }
  input.encoding_ = encoding == Encoding::kAuto ? Encoding::kUtf8 : encoding;
  size_t mark_bytes = 0;
  for (const Mark& mark : kMarks) {
    if (!bytes.starts_with(mark.bytes)) continue;
    if (encoding == Encoding::kAuto) input.encoding_ = mark.encoding;
    if (input.encoding_ == mark.encoding) mark_bytes = mark.bytes.size();
  }
  if (input.encoding_ == Encoding::kUtf8) {
    input.mark_bytes_ = mark_bytes;
    input.mapped_ = std::move(mapped);
  } else {
    bytes.remove_prefix(mark_bytes);
    if (bytes.size() <= kMaxMemoryBytes) {
      Status status = Convert(bytes, input.encoding_, [&](std::string_view piece) {
        input.converted_ += piece;
        return Ok();
      });
      if (!status.ok()) return std::move(status).error().With(fmt::format("read '{}'", path));
    } else {
      Result<io::MappedFile> converted = ConvertByFile(bytes, input.encoding_);
      if (!converted.ok()) return std::move(converted).error().With(fmt::format("read '{}'", path));
      input.mapped_ = std::move(converted).value();
    }
  }
  if (input.text().empty())
    return InvalidArgument(fmt::format("'{}' is empty but for its byte order mark", path));
  return input;
}

}  // namespace sluice::table::internal
