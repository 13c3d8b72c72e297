#include "table/internal/atomic_output.h"

#include <arrow/result.h>
#include <arrow/status.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

namespace sluice::table::internal {

/// Arrow writes here; our error is kept so that its code is not lost on the way through Arrow's.
class AtomicOutput::Stream : public arrow::io::OutputStream {
 public:
  explicit Stream(AtomicOutput& output) : output_(output) {}

  arrow::Status Close() override {
    is_closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return is_closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* data, int64_t size) override {
    Status status = output_.Append({static_cast<const char*>(data), static_cast<size_t>(size)});
    if (!status.ok()) {
      output_.status_ = status;
      return arrow::Status::IOError(status.error().message());
    }
    position_ += size;
    return arrow::Status::OK();
  }

 private:
  AtomicOutput& output_;
  int64_t position_ = 0;
  bool is_closed_ = false;
};

AtomicOutput::AtomicOutput(std::string path, std::string temporary,
                           std::unique_ptr<io::WritableFile> file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

AtomicOutput::~AtomicOutput() {
  if (is_committed_) return;
  file_.reset();
  Status ignored =
      io::RealFs().Remove(temporary_);  // nothing better can be done with an error here
  static_cast<void>(ignored.ok());
}

Result<std::unique_ptr<AtomicOutput>> AtomicOutput::Open(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, io::RealFs().Stat(path));
  if (info && info->kind == io::FileKind::kDirectory) {
    return InvalidArgument(fmt::format("'{}' is a directory; name a file in it", path));
  }
  std::string temporary = fmt::format("{}.tmp-{}-{}", path, getpid(), counter++);
  ASSIGN_OR_RETURN(std::unique_ptr<io::WritableFile> file, io::RealFs().OpenForWrite(temporary));
  return std::unique_ptr<AtomicOutput>(
      new AtomicOutput(path, std::move(temporary), std::move(file)));
}

Status AtomicOutput::Commit() {
  RETURN_IF_ERROR(file_->Close());
  RETURN_IF_ERROR(io::RealFs().Rename(temporary_, path_));
  is_committed_ = true;
  return Ok();
}

std::shared_ptr<arrow::io::OutputStream> AtomicOutput::stream() {
  return std::make_shared<Stream>(*this);
}

}  // namespace sluice::table::internal
