// `read_csv FILE [threads] [times] [scan]`: reads the file again and again and prints the seconds
// of each reading; for bench/ingest_csv.py. With "scan" the rows are visited but no table is kept.
#include <arrow/table.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "table/read.h"
#include "table/scan.h"

namespace {

struct NoVisitor : sluice::table::ScanVisitor {
  void Begin(const std::shared_ptr<arrow::Schema>&, size_t) override {}
  void Visit(size_t, const std::shared_ptr<arrow::RecordBatch>&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: read_csv FILE [threads] [times] [scan]\n");
    return 2;
  }
  sluice::table::ReadOptions options;
  options.thread_count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0;
  int times = argc > 3 ? std::atoi(argv[3]) : 1;
  bool is_scan = argc > 4 && std::string(argv[4]) == "scan";
  for (int i = 0; i < times; ++i) {
    auto begin = std::chrono::steady_clock::now();
    std::string error;
    if (is_scan) {
      NoVisitor visitor;
      auto outcome = sluice::table::ScanTable({argv[1]}, options, visitor);
      if (!outcome.ok()) error = outcome.error().ToString();
    } else {
      auto outcome = sluice::table::ReadTable({argv[1]}, options);
      if (!outcome.ok()) error = outcome.error().ToString();
    }
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (!error.empty()) {
      std::fprintf(stderr, "%s\n", error.c_str());
      return 1;
    }
    std::printf("%.6f\n", seconds.count());
  }
  return 0;
}
