#pragma once

// Memory that a launch needs besides its arguments, in parts. With no memory it only adds up.

#include <cstdint>
#include <stdexcept>

namespace minifloat {

class Workspace {
 public:
  Workspace() = default;
  Workspace(std::uint8_t* memory, std::int64_t bytes) : memory_(memory), bytes_(bytes) {}

  template <class T>
  T* take(std::int64_t count) {
    constexpr std::int64_t kAlignment = 256;
    const std::int64_t first = size_;
    size_ +=
        (count * static_cast<std::int64_t>(sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    if (memory_ && size_ > bytes_) throw std::length_error("the workspace is too small");
    return memory_ ? reinterpret_cast<T*>(memory_ + first) : nullptr;
  }

  std::int64_t size() const { return size_; }

 private:
  std::uint8_t* memory_ = nullptr;
  std::int64_t bytes_ = 0;
  std::int64_t size_ = 0;
};

}  // namespace minifloat
