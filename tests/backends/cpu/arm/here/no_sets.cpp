// Names in place of this machine's instruction sets: digests are made by plain C++, and the sets
// take long to compile.

#include "cpu/kernels/kernels.h"

namespace minifloat {
namespace {

Isa none(const char* name) {
  Isa isa{};
  isa.name = name;
  return isa;
}

}  // namespace

#ifdef __x86_64__
extern const Isa kAvx2 = none("avx2"), kAvx512 = none("avx512");
extern const Isa kAvx512Vnni = none("avx512vnni");

const Isa& amx_isa() {
  static const Isa isa = none("amx");
  return isa;
}

const Isa& amx_isa_in_memory() {
  static const Isa isa = none("amx_in_memory");
  return isa;
}
#elif defined(__aarch64__)
extern const Isa kNeon = none("neon"), kNeonDot = none("neon_dot");
#endif

}  // namespace minifloat
