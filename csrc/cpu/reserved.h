#pragma once

#include <cstdint>

namespace minifloat::cpu {

// Addresses in a row, of which a page takes memory once it is written to, or is a file's.
class Reserved {
 public:
  // std::bad_alloc where the system does not give so many.
  explicit Reserved(std::int64_t bytes);
  ~Reserved();
  Reserved(const Reserved&) = delete;
  Reserved& operator=(const Reserved&) = delete;

  std::uint8_t* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }

  // Puts bytes of a file in the place of pages, to be read only; all three are whole pages. 0, or
  // the number of the error.
  int map(int file, std::int64_t offset, std::int64_t at, std::int64_t bytes);

 private:
  std::uint8_t* data_;
  std::int64_t bytes_;
};

}  // namespace minifloat::cpu
