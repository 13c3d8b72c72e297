#include "base/thread_pool.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>

namespace sluice {

ThreadPool::ThreadPool(Options options) : options_(std::move(options)) {
  CHECK(options_.thread_count > 0);
  for (size_t i = 0; i < options_.thread_count; ++i) {
    threads_.emplace_back([this] { Work(); });
    pthread_setname_np(threads_.back().native_handle(), options_.name.substr(0, 15).c_str());
  }
}

ThreadPool::~ThreadPool() { Shutdown(); }

Status ThreadPool::TrySubmit(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (is_stopping_) return Cancelled(fmt::format("thread pool '{}' is shut down", options_.name));
    if (queue_.size() >= options_.queue_capacity) {
      return ResourceExhausted(fmt::format("queue of thread pool '{}' is full ({} tasks)",
                                           options_.name, queue_.size()));
    }
    queue_.push_back(std::move(task));
  }
  ready_.notify_one();
  return Ok();
}

void ThreadPool::Shutdown() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

size_t ThreadPool::QueuedCount() {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

void ThreadPool::Work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

void ParallelFor(size_t thread_count, size_t count, const std::function<void(size_t)>& body) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t index = next++; index < count; index = next++) body(index);
  };
  std::vector<std::thread> threads;
  size_t helper_count = std::min(std::max<size_t>(thread_count, 1), count);
  for (size_t i = 1; i < helper_count; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace sluice
