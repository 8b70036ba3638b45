// Scores and searches by codes and by floats.

#include "cases.h"
#include "cpu/codec.h"
#include "cpu/search/search.h"
#include "format/packing.h"

namespace minifloat::cases {
namespace {

constexpr int kFloat32 = index_of_source<float>();

// How much scores of both sets may be away from each other, by the bound of each.
float bound_of(int format, std::int64_t dim) {
  return lane(kFormats[format].format) == Lane::kFloat
             ? 2 * 1.01f * 0x1p-24f * static_cast<float>(dim + 5)
             : 0;
}

// Packed rows with what a search needs of each.
struct Packed {
  Packed(int format, std::int64_t rows, std::int64_t dim, std::int64_t axes, Random& random)
      : codes(rows * row_bytes(dim, kFormats[format].format.bits())),
        norms(rows),
        coordinates(random.numbers(rows * axes)),
        view{codes.data(), norms.data(), rows, true, coordinates.data(), axes} {
    set_isa("scalar");
    const auto values = random.numbers(rows * dim);
    const ValueRows given{reinterpret_cast<const std::uint8_t*>(values.data()), dim * 4, rows, dim};
    cpu::quantize({format, kFloat32, Scale::kAmax, Estimator::kNorm, true}, given, codes.data(),
                  norms.data(), 1);
    for (float& x : coordinates) x /= 16;
  }
  Packed(const Packed&) = delete;

  std::vector<std::uint8_t> codes;
  std::vector<float> norms, coordinates;
  Rows view;
};

// Float queries in the lane of a format.
struct InLaneRows {
  InLaneRows(int format, std::int64_t rows, std::int64_t dim, std::int64_t axes, Random& random)
      : elements(rows * dim * (lane(kFormats[format].format) == Lane::kFloat ? 4 : 2)),
        norms(rows),
        coordinates(random.numbers(rows * axes)),
        view{elements.data(), norms.data(), rows, false, coordinates.data(), axes} {
    set_isa("scalar");
    const auto values = random.numbers(rows * dim);
    const ValueRows given{reinterpret_cast<const std::uint8_t*>(values.data()), dim * 4, rows, dim};
    cpu::to_lane(format, kFloat32, given, {elements.data(), norms.data()}, 1);
    for (float& x : coordinates) x /= 16;
  }
  InLaneRows(const InLaneRows&) = delete;

  // Makes them such that one plane holds them, on any set.
  void make_coarse(int format) {
    if (lane(kFormats[format].format) == Lane::kFloat) {
      auto* const bits = reinterpret_cast<std::uint32_t*>(elements.data());
      for (std::size_t i = 0; i < elements.size() / 4; ++i) bits[i] &= 0xffff0000;
    } else {
      auto* const numbers = reinterpret_cast<std::int16_t*>(elements.data());
      for (std::size_t i = 0; i < elements.size() / 2; ++i) numbers[i] %= 13;
    }
  }

  std::vector<std::uint8_t> elements;
  std::vector<float> norms, coordinates;
  Rows view;
};

Answer answer_of(int format, std::vector<float> scores) {
  if (lane(kFormats[format].format) != Lane::kFloat) return Answer::of(scores);
  return {{}, std::move(scores)};
}

void compare_all(Comparison& to, const Sides& sides) {
  to.compare(named("scores", sides.format), bound_of(sides.format, sides.dim), [&](int threads) {
    std::vector<float> scores(sides.a.count * sides.b.count);
    cpu::all_scores(sides, scores.data(), threads);
    return answer_of(sides.format, scores);
  });
}

void compare_pairs(Comparison& to, const Sides& sides, Random& random) {
  constexpr std::int64_t kPairs = 50;
  std::vector<std::int64_t> pairs;
  for (int i = 0; i < kPairs; ++i) {
    pairs.push_back(random.below(sides.a.count));
    pairs.push_back(random.below(sides.b.count));
  }
  to.compare(named("pairs", sides.format), bound_of(sides.format, sides.dim), [&](int threads) {
    std::vector<float> scores(kPairs);
    cpu::pair_scores({sides, pairs.data(), kPairs}, scores.data(), threads);
    return answer_of(sides.format, scores);
  });
}

// Of all rows, of those of a mask, and of some ranges.
void compare_best(Comparison& to, const Sides& sides, Random& random) {
  std::vector<std::uint8_t> mask(sides.b.count);
  for (std::uint8_t& one : mask) one = random.below(4) > 0;
  const std::int64_t half = sides.b.count / 2;
  const std::int64_t ranges[] = {0, half, half + 1, sides.b.count};
  const Selection selections[] = {
      {nullptr, nullptr, 0}, {mask.data(), nullptr, 0}, {mask.data(), ranges, 2}};
  for (const Selection& selection : selections) {
    for (const std::int64_t k : {1, 5}) {
      to.compare(named("best", sides.format), bound_of(sides.format, sides.dim), [&](int threads) {
        std::vector<float> scores(sides.a.count * k);
        std::vector<std::int64_t> rows(sides.a.count * k);
        cpu::best({sides, selection, k}, scores.data(), rows.data(), threads);
        Answer answer = answer_of(sides.format, scores);
        // Of scores that are rounded in another order another row may be the better.
        if (answer.rounded.empty()) append(answer.exact, rows);
        return answer;
      });
    }
  }
}

// Of the rows of a mask. Of scores that are rounded in another order others may be above.
void compare_above(Comparison& to, const Sides& sides, Random& random) {
  if (lane(kFormats[sides.format].format) == Lane::kFloat) return;
  std::vector<std::uint8_t> mask(sides.b.count);
  for (std::uint8_t& one : mask) one = random.below(4) > 0;
  std::vector<float> thresholds(sides.a.count);
  for (float& one : thresholds) one = random.number() / 20;
  to.compare(named("above", sides.format), 0, [&](int threads) {
    constexpr std::int64_t kAll = std::int64_t{1} << 40;
    cpu::Hits hits =
        cpu::above({sides, {mask.data(), nullptr, 0}, thresholds.data(), kAll}, threads);
    std::vector<std::int64_t> offsets(sides.a.count + 1), rows(hits.total);
    std::vector<float> scores(hits.total);
    cpu::write(hits, offsets.data(), rows.data(), scores.data());
    Answer answer = Answer::of(scores);
    append(answer.exact, offsets);
    append(answer.exact, rows);
    return answer;
  });
}

// Rows of the largest value, of which sums exceed an int32.
void compare_long_rows(Comparison& to, int format) {
  const Format of = kFormats[format].format;
  const std::int64_t dim = 9001, rows = 3;
  std::vector<std::uint8_t> codes(rows * dim, static_cast<std::uint8_t>(of.max_code()));
  for (std::int64_t i = 0; i < dim; i += 7) codes[i] |= of.sign_bit();
  std::vector<std::uint8_t> packed(rows * row_bytes(dim, of.bits()));
  cpu::pack(format, codes.data(), rows, dim, packed.data(), 1);
  const std::vector<float> norms(rows, 0x1p-17f);
  const Rows all{packed.data(), norms.data(), rows, true};
  const std::vector<std::int16_t> elements(2 * dim, lane(of) == Lane::kFloat ? 0 : -kQueryMax);
  compare_all(to, {format, dim, all, all});
  compare_all(to, {format, dim, {packed.data(), norms.data(), 2, true}, all});
  if (lane(of) != Lane::kFloat) {
    compare_all(to, {format, dim, {elements.data(), norms.data(), 2, false}, all});
  }
}

}  // namespace

void compare_scores(Comparison& to) {
  constexpr std::int64_t kQueries[] = {1, 2, 3, 4, 5, 9, 16, 33, 1, 2, 4, 70, 8};
  for (int format = 0; format < kFormatCount; ++format) {
    Random random(format);
    for (std::int64_t dim = 1; dim <= 300; dim += dim < 140 ? 1 : 3) {
      const std::int64_t queries = kQueries[dim % std::size(kQueries)];
      const std::int64_t rows = dim % 4 == 0 && queries < 10 ? 67 : 21, axes = dim % 3;
      const Packed b(format, rows, dim, axes, random), a(format, queries, dim, axes, random);
      InLaneRows floats(format, queries, dim, axes, random);
      const Sides by_codes{format, dim, a.view, b.view},
          by_floats{format, dim, floats.view, b.view};
      compare_all(to, by_codes);
      compare_all(to, by_floats);
      if (dim % 10 == 3) compare_all(to, {format, dim, b.view, b.view});
      if (dim % 8 == 1) {
        compare_pairs(to, by_codes, random);
        compare_pairs(to, by_floats, random);
        compare_best(to, by_codes, random);
        compare_best(to, by_floats, random);
        compare_above(to, by_codes, random);
        compare_above(to, by_floats, random);
      }
      if (dim % 4 == 1) {
        floats.make_coarse(format);
        compare_all(to, by_floats);
      }
    }
    compare_long_rows(to, format);
  }
}

}  // namespace minifloat::cases
