#include "objects/stat_cache.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace sluice::objects {
namespace {

// The file: header, records, SHA-256 of all before it. A record is
//   int64 x 7   size, mtime, ctime, inode, device, read start, last use, in the machine's byte
//   order 32 bytes    digest 1 byte      settled uint32      length of the path, then its bytes
// The header holds a number too, so that a file from a machine of the other byte order is foreign.
constexpr uint64_t kByteOrder = 0x0102030405060708;
constexpr std::string_view kHeader = "sluice-stat-cache 1\n";
constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

template <typename T>
void AppendValue(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
bool TakeValue(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return true;
}

}  // namespace

std::string StatCache::Encode(const Entries& entries) {
  std::string bytes(kHeader);
  AppendValue(bytes, kByteOrder);
  for (const auto& [path, entry] : entries) {
    AppendValue(bytes, entry.size_bytes);
    AppendValue(bytes, entry.mtime_ns);
    AppendValue(bytes, entry.ctime_ns);
    AppendValue(bytes, entry.inode);
    AppendValue(bytes, entry.device);
    AppendValue(bytes, entry.read_start_ms);
    AppendValue(bytes, entry.used_ms);
    AppendValue(bytes, entry.digest.bytes);
    AppendValue(bytes, static_cast<uint8_t>(entry.is_settled));
    AppendValue(bytes, static_cast<uint32_t>(path.size()));
    bytes += path;
  }
  AppendValue(bytes, ComputeSha256(bytes).bytes);
  return bytes;
}

std::optional<StatCache::Entries> StatCache::Decode(std::string_view bytes) {
  Digest checksum;
  if (bytes.size() < kHeader.size() + sizeof kByteOrder + sizeof checksum.bytes)
    return std::nullopt;
  std::string_view end = bytes.substr(bytes.size() - sizeof checksum.bytes);
  bytes.remove_suffix(sizeof checksum.bytes);
  std::memcpy(checksum.bytes.data(), end.data(), end.size());
  if (!bytes.starts_with(kHeader) || ComputeSha256(bytes) != checksum) return std::nullopt;
  bytes.remove_prefix(kHeader.size());
  uint64_t byte_order = 0;
  if (!TakeValue(bytes, byte_order) || byte_order != kByteOrder) return std::nullopt;

  Entries entries;
  while (!bytes.empty()) {
    Entry entry;
    uint8_t is_settled = 0;
    uint32_t path_size = 0;
    bool is_whole = TakeValue(bytes, entry.size_bytes) && TakeValue(bytes, entry.mtime_ns) &&
                    TakeValue(bytes, entry.ctime_ns) && TakeValue(bytes, entry.inode) &&
                    TakeValue(bytes, entry.device) && TakeValue(bytes, entry.read_start_ms) &&
                    TakeValue(bytes, entry.used_ms) && TakeValue(bytes, entry.digest.bytes) &&
                    TakeValue(bytes, is_settled) && TakeValue(bytes, path_size) &&
                    bytes.size() >= path_size;
    if (!is_whole) return std::nullopt;
    entry.is_settled = is_settled != 0;
    entries.emplace(bytes.substr(0, path_size), entry);
    bytes.remove_prefix(path_size);
  }
  return entries;
}

Result<std::optional<StatCache::Entries>> StatCache::Load(io::Fs& fs, const std::string& path) {
  Result<std::string> bytes = fs.ReadFile(path, kMaxFileBytes);
  if (bytes.ok()) return Decode(*bytes);
  ErrorCode code = bytes.error().code();
  if (code == ErrorCode::kNotFound || code == ErrorCode::kResourceExhausted)
    return std::optional<Entries>();
  return std::move(bytes).error();
}

Result<std::unique_ptr<StatCache>> StatCache::Open(io::Fs& fs, std::string path, Clock& clock) {
  std::unique_ptr<StatCache> cache(new StatCache(&fs, std::move(path), clock));
  ASSIGN_OR_RETURN(std::optional<Entries> entries, Load(fs, cache->path_));
  if (entries) cache->state_.With([&](State& state) { state.entries = *std::move(entries); });
  return cache;
}

std::unique_ptr<StatCache> StatCache::InMemory(Clock& clock) {
  return std::unique_ptr<StatCache>(new StatCache(nullptr, {}, clock));
}

std::optional<Digest> StatCache::Find(const std::string& absolute_path, const io::FileInfo& info) {
  int64_t now_ms = clock_.NowMs();
  return state_.With([&](State& state) -> std::optional<Digest> {
    auto found = state.entries.find(absolute_path);
    if (found == state.entries.end()) return std::nullopt;
    Entry& entry = found->second;
    bool is_same = entry.size_bytes == info.size_bytes && entry.mtime_ns == info.mtime_ns &&
                   entry.inode == info.inode && entry.device == info.device;
    bool may_change_ctime = entry.is_settled && (info.mode & 0222) == 0;
    if (!is_same || (entry.ctime_ns != info.ctime_ns && !may_change_ctime)) return std::nullopt;
    bool is_racy = info.mtime_ns / 1'000'000 + kRacyWindowMs > entry.read_start_ms;
    if (is_racy && !entry.is_settled) return std::nullopt;
    entry.used_ms = now_ms;
    return entry.digest;
  });
}

void StatCache::Record(const std::string& absolute_path, const io::FileInfo& info,
                       const Digest& digest, int64_t read_start_ms) {
  Put(absolute_path, info, digest, read_start_ms, false);
}

void StatCache::RecordSettled(const std::string& absolute_path, const io::FileInfo& info,
                              const Digest& digest) {
  Put(absolute_path, info, digest, 0, true);
}

void StatCache::Put(const std::string& absolute_path, const io::FileInfo& info,
                    const Digest& digest, int64_t read_start_ms, bool is_settled) {
  Entry entry{.size_bytes = info.size_bytes,
              .mtime_ns = info.mtime_ns,
              .ctime_ns = info.ctime_ns,
              .inode = info.inode,
              .device = info.device,
              .read_start_ms = read_start_ms,
              .used_ms = clock_.NowMs(),
              .digest = digest,
              .is_settled = is_settled,
              .is_new = true};
  state_.With([&](State& state) {
    state.entries.insert_or_assign(absolute_path, entry);
    state.is_dirty = true;
  });
}

void StatCache::DropUnused(Entries& entries, int64_t now_ms) {
  std::erase_if(entries,
                [&](const auto& item) { return item.second.used_ms < now_ms - kMaxUnusedMs; });
  if (entries.size() <= kMaxEntries) return;
  std::vector<int64_t> uses;
  uses.reserve(entries.size());
  for (const auto& [path, entry] : entries) uses.push_back(entry.used_ms);
  std::nth_element(uses.begin(), uses.begin() + (kMaxEntries - 1), uses.end(), std::greater<>());
  int64_t oldest_kept_ms = uses[kMaxEntries - 1];
  std::erase_if(entries, [&](const auto& item) { return item.second.used_ms < oldest_kept_ms; });
  // Many may share the last millisecond that is kept; which of them go does not matter.
  for (auto item = entries.begin(); entries.size() > kMaxEntries;) {
    item = item->second.used_ms == oldest_kept_ms ? entries.erase(item) : std::next(item);
  }
}

Status StatCache::Save() {
  if (fs_ == nullptr) return Ok();
  std::optional<Entries> mine = state_.With([](State& state) -> std::optional<Entries> {
    if (!state.is_dirty) return std::nullopt;
    state.is_dirty = false;
    return state.entries;
  });
  if (!mine) return Ok();
  auto write = [&]() -> Status {
    ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock,
                     fs_->Lock(path_ + ".lock", io::LockMode::kExclusive, true));
    ASSIGN_OR_RETURN(std::optional<Entries> saved, Load(*fs_, path_));
    // What another process saved since is newer than what we only read.
    if (saved) {
      for (auto& [path, entry] : *saved) {
        auto own = mine->find(path);
        if (own == mine->end()) {
          mine->emplace(path, entry);
        } else if (!own->second.is_new) {
          entry.used_ms = std::max(entry.used_ms, own->second.used_ms);
          own->second = entry;
        }
      }
    }
    DropUnused(*mine, clock_.NowMs());
    return fs_->WriteFileAtomic(path_, Encode(*mine), io::Durability::kFast);
  };
  Status status = write();
  if (!status.ok()) {
    state_.With([](State& state) { state.is_dirty = true; });
  }
  return status;
}

size_t StatCache::entry_count() {
  return state_.With([](State& state) { return state.entries.size(); });
}

}  // namespace sluice::objects
