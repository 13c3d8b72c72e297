#include "sql/internal/connection_pool.h"

namespace sluice::sql::internal {

Result<Lease> Lease::Take(ConnectionPool& pool, Driver& driver) {
  Lease lease(pool);
  {
    std::unique_lock lock(pool.mutex_);
    pool.is_free_.wait(lock, [&] { return pool.free_count_ > 0; });
    --pool.free_count_;
    if (!pool.idle_.empty()) {
      lease.connection_ = std::move(pool.idle_.back());
      pool.idle_.pop_back();
    }
  }
  if (lease.connection_ == nullptr) {
    ASSIGN_OR_RETURN(lease.connection_, driver.Connect());
  }
  return lease;
}

Lease::~Lease() {
  if (pool_ == nullptr) return;
  bool is_usable = connection_ != nullptr && (connection_->fault() == Fault::kNone ||
                                              connection_->fault() == Fault::kConflict);
  if (!is_usable) connection_.reset();
  {
    std::lock_guard lock(pool_->mutex_);
    ++pool_->free_count_;
    if (is_usable) pool_->idle_.push_back(std::move(connection_));
  }
  pool_->is_free_.notify_one();
}

void Lease::DropIdle() {
  std::vector<std::unique_ptr<Connection>> dropped;  // outlives the lock: closing is I/O
  std::lock_guard lock(pool_->mutex_);
  std::swap(pool_->idle_, dropped);
}

}  // namespace sluice::sql::internal
