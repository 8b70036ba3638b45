#pragma once

#include <cstdint>

namespace minifloat::cpu {

// Asks for huge pages under memory that has not been touched yet, where the system has such pages.
void prefer_huge_pages(void* data, std::int64_t bytes);

}  // namespace minifloat::cpu
