#pragma once

// Memory that a launch needs besides its arguments, in parts. With no memory it only adds up.

#include <cstdint>

namespace minifloat {

class Workspace {
 public:
  explicit Workspace(std::uint8_t* memory) : memory_(memory) {}

  template <class T>
  T* take(std::int64_t count) {
    constexpr std::int64_t kAlignment = 256;
    const std::int64_t first = size_;
    size_ +=
        (count * static_cast<std::int64_t>(sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    return memory_ ? reinterpret_cast<T*>(memory_ + first) : nullptr;
  }

  std::int64_t size() const { return size_; }

 private:
  std::uint8_t* memory_;
  std::int64_t size_ = 0;
};

}  // namespace minifloat
