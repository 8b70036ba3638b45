// Coordinates of queries are laid out once, axis by axis, so that those of a tile lie side by side.

#include "cuda/products/coordinates.h"

#include "cuda/device/launches.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kBlocks = 8;  // of each multiprocessor

MINIFLOAT_KERNEL(kThreads, kBlocks)
lay_out_coordinates_kernel(const float* rows, std::int64_t count, std::int64_t padded,
                           Coordinates coordinates) {
  const std::int64_t axes = coordinates.axes;
  for (std::int64_t i = launch_index(); i < axes * padded; i += launch_size()) {
    const std::int64_t query = i % padded, axis = i / padded;
    coordinates.of_queries[i] = query < count ? rows[query * axes + axis] : 0.0f;
  }
}

}  // namespace

Coordinates take_coordinates(const Sides& sides, const Queries& queries, Workspace& workspace) {
  const std::int64_t axes = sides.b.axes;
  return {sides.b.coordinates, workspace.take<float>(axes * queries.padded()), axes};
}

void lay_out_coordinates(const Sides& sides, std::int64_t first, const Queries& queries,
                         const Coordinates& coordinates, Stream stream) {
  const std::int64_t axes = coordinates.axes, padded = queries.padded();
  launch(lay_out_coordinates_kernel, grid_for(axes * padded, kThreads, kBlocks), stream,
         sides.a.coordinates + first * axes, queries.count, padded, coordinates);
}

}  // namespace minifloat::cuda
