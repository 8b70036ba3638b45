#include <atomic>
#include <cstdlib>
#include <stdexcept>

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#include "cpu/sets/set.h"

namespace minifloat {

extern const Isa kScalar;
#ifdef __x86_64__
extern const Isa kAvx2, kAvx512, kAvx512Vnni;
const Isa& amx_isa();
const Isa& amx_isa_in_memory();
#elif defined(__aarch64__)
extern const Isa kNeon, kNeonDot;
#endif

namespace {

#ifdef __x86_64__
// Clang's __builtin_cpu_supports does not know it.
bool has_f16c() {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
}

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

bool has_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
}

// Linux lets a process use tiles that has asked for them; threads and children may from then on.
bool may_use_tiles() {
#ifdef __linux__
  constexpr long kRequest = 0x1023, kTileData = 18;
  static const bool may = syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  return may;
#else
  return false;
#endif
}

bool has_amx() {
  constexpr unsigned kBfloat16 = 1u << 22, kTiles = 1u << 24, kInt8 = 1u << 25;
  constexpr unsigned kAll = kBfloat16 | kTiles | kInt8;
  unsigned eax, ebx, ecx, edx;
  return has_vnni() && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & kAll) == kAll &&
         may_use_tiles();
}
#elif defined(__aarch64__)
bool has_dot() {
#ifdef __linux__
  // The compiler may use all of Armv8.2.
  constexpr unsigned long kAll = HWCAP_ASIMDDP | HWCAP_ASIMDRDM | HWCAP_ATOMICS | HWCAP_CRC32;
  return (getauxval(AT_HWCAP) & kAll) == kAll;
#elif defined(__APPLE__)
  int has = 0;
  std::size_t size = sizeof(has);
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, nullptr, 0) == 0 && has == 1;
#else
  return false;
#endif
}
#endif

template <const Isa& kIsa>
const Isa& constant() {
  return kIsa;
}

// All sets, the best first: the first that the machine has is the default. Those that are not
// listed are for tests.
const struct {
  const Isa& (*isa)();
  bool (*is_here)();
  bool is_listed = true;
} kSets[] = {
#ifdef __x86_64__
    {amx_isa, has_amx},
    {amx_isa_in_memory, has_vnni, false},
    {constant<kAvx512Vnni>, has_vnni},
    {constant<kAvx512>, has_avx512},
    {constant<kAvx2>, has_avx2},
#elif defined(__aarch64__)
    {constant<kNeonDot>, has_dot},
    {constant<kNeon>, [] { return true; }},
#endif
    {constant<kScalar>, [] { return true; }},
};

const Isa& find_isa(const std::string& name) {
  std::string message = "instruction set must be one of";
  for (const auto& [isa, is_here, is_listed] : kSets) {
    if (!is_here()) continue;
    if (name == isa().name) return isa();
    if (is_listed) message.append(" ").append(isa().name).append(",");
  }
  message.back() = ';';
  throw std::invalid_argument(message + " got '" + name + "'");
}

const Isa& default_isa() {
  const char* name = std::getenv("MINIFLOAT_ISA");
  return find_isa(name && *name ? name : available_isas().front());
}

std::atomic<const Isa*> chosen_isa = nullptr;

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const auto& [isa, is_here, is_listed] : kSets) {
    if (is_listed && is_here()) names.emplace_back(isa().name);
  }
  return names;
}

const Isa& current_isa() {
  const Isa* chosen = chosen_isa;
  if (!chosen) chosen_isa = chosen = &default_isa();
  return *chosen;
}

void set_isa(const std::string& name) { chosen_isa = &find_isa(name); }

}  // namespace minifloat
