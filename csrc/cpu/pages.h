#pragma once

#include <cstdint>

namespace minifloat::cpu {

// Asks for huge pages under memory that has not been touched yet, where the system has such pages.
void prefer_huge_pages(void* data, std::int64_t bytes);

// Asks for memory that is about to be read: what is in a file is read meanwhile.
void will_need(const void* begin, const void* end);

// It is worth while to ask for what lies so near with what is wanted.
inline constexpr std::int64_t kPagesApart = 1 << 14;

}  // namespace minifloat::cpu
