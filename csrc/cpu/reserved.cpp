#include "cpu/reserved.h"

#include <sys/mman.h>

#include <cerrno>
#include <new>

namespace minifloat::cpu {
namespace {

#ifdef MAP_NORESERVE
constexpr int kNoReserve = MAP_NORESERVE;
#else
constexpr int kNoReserve = 0;
#endif

}  // namespace

Reserved::Reserved(std::int64_t bytes) : bytes_(bytes) {
  void* const data =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | kNoReserve, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::uint8_t*>(data);
#ifdef MADV_DONTDUMP
  // A dump of the process would hold them all.
  madvise(data, bytes, MADV_DONTDUMP);
#endif
}

Reserved::~Reserved() { munmap(data_, bytes_); }

int Reserved::map(int file, std::int64_t offset, std::int64_t at, std::int64_t bytes) {
  void* const placed = mmap(data_ + at, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, file, offset);
  return placed == MAP_FAILED ? errno : 0;
}

}  // namespace minifloat::cpu
