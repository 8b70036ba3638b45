#pragma once

// Answers of every instruction set beside those of plain C++, which are the reference.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cpu/sets/set.h"
#include "format/format.h"
#include "format/lanes.h"

namespace minifloat::cases {

// The same numbers on every machine, for distributions of the standard library are not.
class Random {
 public:
  explicit Random(std::uint32_t seed) : bits_(seed) {}

  std::uint32_t bits() { return bits_(); }
  std::int64_t below(std::int64_t end) { return bits_() % end; }
  // In (-6, 6), like normal ones.
  float number() {
    float sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<float>(bits_() >> 8) * 0x1p-24f;
    return sum - 6;
  }
  std::vector<float> numbers(std::int64_t count) {
    std::vector<float> numbers(count);
    for (float& x : numbers) x = number();
    return numbers;
  }
  std::vector<std::uint8_t> bytes(std::int64_t count) {
    std::vector<std::uint8_t> bytes(count);
    for (std::uint8_t& x : bytes) x = static_cast<std::uint8_t>(bits_());
    return bytes;
  }

 private:
  std::mt19937 bits_;
};

template <class T>
void append(std::vector<std::uint8_t>& to, const std::vector<T>& values) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(values.data());
  to.insert(to.end(), bytes, bytes + values.size() * sizeof(T));
}

// What a call has written.
struct Answer {
  std::vector<std::uint8_t> exact;
  std::vector<float> rounded;  // in an order that an instruction set chooses

  template <class... Ts>
  static Answer of(const std::vector<Ts>&... values) {
    Answer answer;
    (append(answer.exact, values), ...);
    return answer;
  }
};

class Comparison {
 public:
  // Of plain C++ alone, or of all sets with it.
  explicit Comparison(bool with_others) {
    if (with_others) isas_ = available_isas();
  }

  // Calls run(threads) with each set, the first time with plain C++: all must answer alike, of what
  // is rounded within a bound.
  template <class Run>
  void compare(const std::string& what, float bound, Run run) {
    set_isa("scalar");
    const Answer expected = run(1);
    digest(what, expected);
    for (const std::string& isa : isas_) {
      set_isa(isa);
      for (const int threads : {1, 3}) {
        ++compared_;
        const Answer found = run(threads);
        if (found.exact != expected.exact || !are_near(found.rounded, expected.rounded, bound)) {
          if (++wrong_ <= 20) std::printf("wrong: %s with %s\n", what.c_str(), isa.c_str());
        }
      }
    }
  }

  // By what was asked, a number that tells one reference from another; returns the exit status.
  int report() const {
    for (const auto& [what, digest] : digests_) {
      std::printf("%s %016llx\n", what.c_str(), static_cast<unsigned long long>(digest));
    }
    if (isas_.empty()) return 0;
    std::printf("compared %lld, wrong %lld, with", compared_, wrong_);
    for (const std::string& isa : isas_) std::printf(" %s", isa.c_str());
    std::printf("\n");
    return wrong_ > 0;
  }

 private:
  static bool are_near(const std::vector<float>& a, const std::vector<float>& b, float bound) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (std::isnan(a[i]) != std::isnan(b[i]) || std::fabs(a[i] - b[i]) > bound) return false;
    }
    return true;
  }

  // FNV-1a, of all answers in turn. NaN has no other bits to tell.
  void digest(const std::string& what, const Answer& answer) {
    std::uint64_t& hash = digests_.try_emplace(what, 0xcbf29ce484222325).first->second;
    const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
    for (const std::uint8_t byte : answer.exact) add(byte);
    for (const float x : answer.rounded) {
      const auto bits = std::bit_cast<std::uint32_t>(std::isnan(x) ? 0.5f : x);
      for (int i = 0; i < 32; i += 8) add(static_cast<std::uint8_t>(bits >> i));
    }
  }

  std::vector<std::string> isas_;
  std::map<std::string, std::uint64_t> digests_;
  long long compared_ = 0, wrong_ = 0;
};

inline std::string named(const char* what, int format) {
  return std::string(kFormats[format].name) + " " + what;
}

inline constexpr int kFormatCount = static_cast<int>(kFormats.size());

void compare_codec(Comparison& to);
void compare_rounding(Comparison& to);
void compare_scores(Comparison& to);

}  // namespace minifloat::cases
