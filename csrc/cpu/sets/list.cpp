#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "cpu/sets/set.h"

namespace minifloat {

extern const Isa kScalar;
#ifdef __x86_64__
extern const Isa kAvx2, kAvx512, kAvx512Vnni;
#endif

namespace {

#ifdef __x86_64__
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") &&
         __builtin_cpu_supports("fma");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

bool has_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
}
#endif

// All sets, the best first: the first that the machine has is the default.
const struct {
  const Isa& isa;
  bool (*is_here)();
} kSets[] = {
#ifdef __x86_64__
    {kAvx512Vnni, has_vnni},
    {kAvx512, has_avx512},
    {kAvx2, has_avx2},
#endif
    {kScalar, [] { return true; }},
};

const Isa& find_isa(const std::string& name) {
  std::string message = "instruction set must be one of";
  for (const auto& [isa, is_here] : kSets) {
    if (!is_here()) continue;
    if (name == isa.name) return isa;
    message.append(" ").append(isa.name).append(",");
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
  for (const auto& [isa, is_here] : kSets) {
    if (is_here()) names.emplace_back(isa.name);
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
