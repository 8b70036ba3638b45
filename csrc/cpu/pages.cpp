#include "cpu/pages.h"

#include <sys/mman.h>
#include <unistd.h>

namespace minifloat::cpu {

void prefer_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] std::int64_t bytes) {
#ifdef MADV_HUGEPAGE
  const std::uintptr_t page = sysconf(_SC_PAGESIZE);
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t begin = (address + page - 1) / page * page;
  const std::uintptr_t end = (address + bytes) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

void will_need(const void* begin, const void* end) {
  const std::uintptr_t page = sysconf(_SC_PAGESIZE);
  const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(begin) / page * page;
  madvise(reinterpret_cast<void*>(first), reinterpret_cast<std::uintptr_t>(end) - first,
          MADV_WILLNEED);
}

}  // namespace minifloat::cpu
