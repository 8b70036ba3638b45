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

// The best first: the first that the machine supports is the default.
const Isa* const kIsas[] = {
#ifdef __x86_64__
    &kAvx512Vnni,
    &kAvx512,
    &kAvx2,
#endif
    &kScalar,
};

const Isa& find_isa(const std::string& name) {
  std::string message = "instruction set must be one of";
  for (const Isa* isa : kIsas) {
    if (!isa->supported()) continue;
    if (name == isa->name) return *isa;
    message.append(" ").append(isa->name).append(",");
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
  for (const Isa* isa : kIsas) {
    if (isa->supported()) names.emplace_back(isa->name);
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
