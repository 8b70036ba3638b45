// Rows of values on their way to codes and to lanes, in a frame and without one.

#include "cases.h"
#include "cpu/codec.h"
#include "cpu/frames.h"
#include "format/packing.h"

namespace minifloat::cases {
namespace {

constexpr std::int64_t kRows = 5;

// Rows of all lengths in each type, one of them of zeros.
template <class T>
std::vector<T> rows_of(std::int64_t dim, Random& random) {
  std::vector<T> rows(kRows * dim);
  for (std::int64_t i = 0; i < kRows * dim; ++i) {
    const float length = i / dim == 2 ? 0 : std::ldexp(1.0f, static_cast<int>(i / dim * 5) - 10);
    const float x = random.number() * length;
    if constexpr (std::is_same_v<T, Bfloat16>) {
      rows[i].bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16);
    } else if constexpr (std::is_same_v<T, Float16>) {
      rows[i].bits = static_cast<std::uint16_t>(random.bits() & 0xbfff);
    } else {
      rows[i] = x;
    }
  }
  return rows;
}

// Calls use(source, rows) for rows of each type.
template <class Use>
void for_each_source(std::int64_t dim, Use use) {
  Random random(static_cast<std::uint32_t>(dim));
  std::apply(
      [&](auto... of) {
        int source = 0;
        const auto with = [&]<class T>(Source<T>) {
          const auto rows = rows_of<T>(dim, random);
          use(source++, ValueRows{reinterpret_cast<const std::uint8_t*>(rows.data()),
                                  static_cast<std::int64_t>(dim * sizeof(T)), kRows, dim});
        };
        (with(of), ...);
      },
      kSources);
}

struct Room {
  Room(int format, std::int64_t dim, std::int64_t axes = 0)
      : codes(kRows * row_bytes(dim, kFormats[format].format.bits())),
        norms(kRows),
        coordinates(kRows * axes),
        elements(kRows * dim * (lane(kFormats[format].format) == Lane::kFloat ? 4 : 2)) {}

  std::vector<std::uint8_t> codes;
  std::vector<float> norms, coordinates;
  std::vector<std::uint8_t> elements;
};

void compare_quantize(Comparison& to, int format, int source, const ValueRows& rows) {
  const bool is_float = source == index_of_source<float>();
  for (int way = 0; way < (is_float ? 6 : 2); ++way) {
    for (const bool saturates : {true, false}) {
      const cpu::Rounding how{format, source, static_cast<Scale>(is_float ? way % 3 : way),
                              static_cast<Estimator>(way / 3), saturates};
      to.compare(named("quantize", format), 0, [&](int threads) {
        Room room(format, rows.dim);
        const std::int64_t wrong =
            cpu::quantize(how, rows, room.codes.data(), room.norms.data(), threads);
        return Answer::of(room.codes, room.norms, std::vector{wrong});
      });
    }
  }
  to.compare(named("to lane", format), 0, [&](int threads) {
    Room room(format, rows.dim);
    const std::int64_t wrong =
        cpu::to_lane(format, source, rows, {room.elements.data(), room.norms.data()}, threads);
    return Answer::of(room.elements, room.norms, std::vector{wrong});
  });
}

// A frame of some axes, turned so many times, whose codes may take up errors.
struct Given {
  Given(std::int64_t dim, std::int64_t axes, std::int64_t rounds, bool feeds_back)
      : random(static_cast<std::uint32_t>(dim * 100 + rounds)),
        axis_count(axes),
        along(random.numbers(axes * dim)),
        signs(rounds * dim),
        order(rounds > 1 ? (rounds - 1) * dim : 0),
        shares(feeds_back ? random.numbers(dim * dim) : std::vector<float>()) {
    for (float& x : along) x /= 4 * std::sqrt(static_cast<float>(dim));
    for (float& sign : signs) sign = random.bits() & 1 ? -1 : 1;
    for (std::int64_t i = 0; i < std::ssize(order); ++i) order[i] = dim - 1 - i % dim;
    for (float& share : shares) share /= static_cast<float>(dim);
    const Frame dense{
        dim, dim, along.data(), axes, signs.data(), rounds, order.empty() ? nullptr : order.data(),
        {}};
    padded.emplace_back(dense, feeds_back ? shares.data() : nullptr);
  }

  const Frame& frame() const { return padded[0].frame(); }

  Random random;
  std::int64_t axis_count;
  std::vector<float> along, signs;
  std::vector<std::int64_t> order;
  std::vector<float> shares;
  std::vector<cpu::PaddedFrame> padded;
};

void compare_project(Comparison& to, const Given& given, int source, const ValueRows& rows) {
  to.compare("project", 0, [&](int threads) {
    std::vector<float> rest(kRows * rows.dim), along(kRows * given.axis_count), lengths(kRows);
    cpu::project(source, rows, given.frame(), {rest.data(), along.data(), lengths.data()}, threads);
    return Answer::of(rest, along, lengths);
  });
}

void compare_in_frame(Comparison& to, const Given& given, int format, int source,
                      const ValueRows& rows) {
  for (const auto scale : {Scale::kAmax, Scale::kCosine}) {
    const cpu::Rounding how{format, source, scale, Estimator::kUnbiased, true};
    to.compare(named("quantize in a frame", format), 0, [&](int threads) {
      Room room(format, rows.dim, given.axis_count);
      const std::int64_t wrong = cpu::quantize_in_frame(
          how, given.frame(), rows, {room.codes.data(), room.norms.data(), room.coordinates.data()},
          threads);
      return Answer::of(room.codes, room.norms, room.coordinates, std::vector{wrong});
    });
  }
  to.compare(named("to lane in a frame", format), 0, [&](int threads) {
    Room room(format, rows.dim, given.axis_count);
    const std::int64_t wrong = cpu::to_lane_in_frame(
        format, source, given.frame(), rows,
        {{room.elements.data(), room.norms.data()}, room.coordinates.data()}, threads);
    return Answer::of(room.elements, room.norms, room.coordinates, std::vector{wrong});
  });
}

}  // namespace

void compare_rounding(Comparison& to) {
  for (const std::int64_t dim : {1, 2, 7, 15, 16, 17, 33, 63, 64, 100, 192, 299}) {
    for_each_source(dim, [&](int source, const ValueRows& rows) {
      const Given givens[] = {Given(dim, 1, 1, false), Given(dim, 2, 2, dim < 200),
                              Given(dim, 0, 0, false)};
      for (const Given& given : givens) compare_project(to, given, source, rows);
      for (int format = 0; format < kFormatCount; ++format) {
        compare_quantize(to, format, source, rows);
        if (source < index_of_source<float>()) continue;
        for (const Given& given : givens) compare_in_frame(to, given, format, source, rows);
      }
    });
  }
  // Several blocks of a row.
  for_each_source(1030, [&](int source, const ValueRows& rows) {
    for (int format = 0; format < kFormatCount; ++format) {
      compare_quantize(to, format, source, rows);
    }
  });
}

}  // namespace minifloat::cases
