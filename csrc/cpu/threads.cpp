#include "cpu/threads.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace minifloat {
namespace {

using std::chrono::milliseconds;

// A signal is seen after so long, and something else may want the processor then.
constexpr milliseconds kPause{50};

// What this thread is at, and whether it is the one that asked for it.
thread_local Call* current = nullptr;
thread_local bool is_caller = false;

struct Job {
  std::int64_t count;
  std::int64_t grain;
  const std::function<void(std::int64_t, std::int64_t)>* body;
  Call* call;
  std::atomic<std::int64_t> next = 0;
  std::atomic<std::int64_t> done = 0;
  int helpers_wanted = 0;

  // Takes pieces until none is left; true when the last of them ended here.
  bool work() {
    std::int64_t finished = 0;
    for (;;) {
      const std::int64_t begin = next.fetch_add(grain);
      if (begin >= count) break;
      const std::int64_t end = std::min(count, begin + grain);
      if (!call || !call->is_over()) (*body)(begin, end);
      finished += end - begin;
    }
    return finished > 0 && done.fetch_add(finished) + finished == count;
  }
};

// Threads that wait for jobs. Several callers may have jobs at once.
class Pool {
 public:
  void run(const std::shared_ptr<Job>& job) {
    {
      const std::lock_guard lock(mutex_);
      while (static_cast<int>(threads_) < job->helpers_wanted) {
        std::thread([this] { serve(); }).detach();
        ++threads_;
      }
      jobs_.push_back(job);
    }
    arrived_.notify_all();
    job->work();
    std::unique_lock lock(mutex_);
    std::erase(jobs_, job);
    while (!finished_.wait_for(lock, kPause, [&] { return job->done == job->count; })) {
      lock.unlock();
      if (is_caller) current->look();
      lock.lock();
    }
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto wants_help = [](const auto& job) { return job->helpers_wanted > 0; };
      auto found = jobs_.end();
      arrived_.wait(lock, [&] {
        found = std::find_if(jobs_.begin(), jobs_.end(), wants_help);
        return found != jobs_.end();
      });
      const std::shared_ptr<Job> job = *found;
      --job->helpers_wanted;
      lock.unlock();
      current = job->call;
      const bool last = job->work();
      current = nullptr;
      lock.lock();
      if (last) finished_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable arrived_, finished_;
  std::deque<std::shared_ptr<Job>> jobs_;
  int threads_ = 0;
};

// Pools are never destroyed: their threads may outlive static objects.
std::atomic<Pool*> shared = nullptr;

// A child process has none of its parent's threads, so it starts a pool of its own. A lock here
// might be held, when it is forked, by a thread that it does not have.
const int forgets = pthread_atfork(nullptr, nullptr, [] { shared = nullptr; });

Pool& pool() {
  Pool* found = shared;
  if (found) return *found;
  auto made = std::make_unique<Pool>();
  return shared.compare_exchange_strong(found, made.get()) ? *made.release() : *found;
}

}  // namespace

Call::Call(bool (*is_called_off)()) : is_called_off_(is_called_off), before_(current) {
  current = this;
  is_caller = true;
}

Call::~Call() {
  current = before_;
  is_caller = before_ != nullptr;
}

void Call::look() {
  const auto now = Clock::now();
  passes_ = now - looked_ > kPause / 50 ? 1 : std::min(2 * passes_, 64);
  looked_ = now;
  left_ = passes_;
  if (now - asked_ < kPause) return;
  if (is_called_off_()) over_ = true;
  asked_ = Clock::now();
}

bool keep_going() {
  if (!current) return true;
  if (is_caller && !current->is_over()) current->ask();
  return !current->is_over();
}

void parallel_for(std::int64_t count, std::int64_t grain, int threads,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  const std::int64_t pieces = (count + grain - 1) / grain;
  const int useful = static_cast<int>(std::min<std::int64_t>(threads, pieces));
  if (useful <= 1) return body(0, count);
  const auto job = std::make_shared<Job>();
  job->count = count;
  job->grain = grain;
  job->body = &body;
  job->call = current;
  job->helpers_wanted = useful - 1;
  pool().run(job);
}

}  // namespace minifloat
